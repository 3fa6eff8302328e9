package skulk.runner.mlx.runner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.Supplier;
import skulk.api.Drafter;
import skulk.api.DrafterFactory;
import skulk.api.RankContext;
import skulk.api.Runner;
import skulk.api.cluster.Shard;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.embed.EmbedOptions;
import skulk.runner.mlx.embed.EmbedRunner;
import skulk.runner.mlx.embed.Embedder;
import skulk.runner.mlx.embed.EmbedderLoader;
import skulk.runner.mlx.grammar.Grammars;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.schedule.ContextLimit;
import skulk.runner.mlx.schedule.Scheduler;
import skulk.runner.mlx.shard.Follower;
import skulk.runner.mlx.shard.RankGroup;
import skulk.runner.mlx.text.OutputFormat;
import skulk.runner.mlx.text.TextModel;
import skulk.runner.mlx.text.Vocabulary;

/** Loads a rank's share of a checkpoint and makes it ready to serve at full speed. */
final class MlxLoader {
    private static final System.Logger LOG = System.getLogger(MlxLoader.class.getName());
    /** Tokens that may wait, as a multiple of the context limit and the batch. */
    private static final int QUEUE_DEPTH = 4;

    /** The cache holds a full batch of the longest sequences and as much again of what earlier ones left. */
    private static final int CACHE_BATCHES = 2;

    private MlxLoader() {}

    /** @throws IOException naming the pair of ranks whose link failed */
    static Runner load(RankContext rank) throws IOException, InterruptedException {
        try {
            Shard shard = rank.shard();
            if (shard.worldSize() > 1 && shard.modelCard().embeds()) {
                throw new SkulkException(Kind.USER_ERROR, "embedding models run on one node; this is a shard of one");
            }
            return shard.deviceRank() == 0 ? first(rank) : follower(rank);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** A rank that takes the steps which rank 0 decides; returns when rank 0 has warmed it up. */
    private static Runner follower(RankContext rank) throws InterruptedException {
        rank.watcher().phase("load_model", rank.files().toString());
        RankGroup group = group(rank);
        Decoder decoder = decoder(rank, EngineSettings.of(rank.settings()), group);
        rank.watcher().warmingUp();
        rank.watcher().phase("warmup", "");
        group.meet();
        Follower follower = new Follower(decoder, group, rank.watcher());
        follower.awaitReady();
        return follower;
    }

    private static RankGroup group(RankContext rank) {
        return new RankGroup(
                rank.links(), rank.shard().deviceRank(), rank.shard().worldSize());
    }

    private static Decoder decoder(RankContext rank, EngineSettings settings, RankGroup group) {
        Decoder decoder = DecoderLoader.load(rank.files(), rank.partial(), options(rank, settings, group));
        LOG.log(System.Logger.Level.INFO, "loaded {0}: {1}", rank.files(), decoder.spec());
        int layers = rank.shard().endLayer() - rank.shard().startLayer();
        rank.watcher().loading(layers, layers);
        return decoder;
    }

    private static Runner first(RankContext rank) {
        Shard shard = rank.shard();
        EngineSettings settings = EngineSettings.of(rank.settings());
        rank.watcher().phase("load_model", rank.files().toString());
        if (shard.modelCard().embeds()) {
            return embedder(rank, settings);
        }
        TextModel text = TextModel.load(rank.files());
        try {
            RankGroup group = group(rank);
            return serve(rank, settings, text, group, group.leading(decoder(rank, settings, group)));
        } catch (RuntimeException | Error e) {
            text.close();
            throw e;
        }
    }

    private static Runner embedder(RankContext rank, EngineSettings settings) {
        EmbedOptions options = EmbedOptions.defaults()
                .withThreads(settings.threads())
                .withFast(settings.kernels() == LoadOptions.Kernels.FAST)
                .withMaxTokens(rank.instance().contextTokenLimit().orElse(Integer.MAX_VALUE))
                .withMatryoshka(rank.shard().modelCard().capabilities().contains("matryoshka"));
        Embedder embedder = EmbedderLoader.load(rank.files(), options);
        LOG.log(System.Logger.Level.INFO, "loaded {0}: {1}", rank.files(), embedder.report());
        rank.watcher().loading(rank.shard().nLayers(), rank.shard().nLayers());
        return new EmbedRunner(embedder, rank.watcher());
    }

    private static Runner serve(
            RankContext rank, EngineSettings settings, TextModel text, RankGroup group, Decoder decoder) {
        int context = contextLimit(rank, decoder, settings.maxChunk());
        ContextLimit limit = new ContextLimit(context, settings.maxOutput());
        ReadyGate watcher = new ReadyGate(rank.watcher());
        Scheduler scheduler = new Scheduler(
                decoder,
                new Scheduler.Options(
                        settings.maxConcurrent(),
                        settings.maxQueued(),
                        (long) context * settings.maxConcurrent() * QUEUE_DEPTH,
                        settings.maxChunk(),
                        limit,
                        new FreeMemory()),
                watcher,
                group::plan,
                RankGroup.overlap(rank.shard()));
        OutputFormat format = OutputFormat.of(rank.shard().modelCard(), text.config());
        JobMaker jobs = new JobMaker(text, format, constraints(text, format), limit, drafters(rank, decoder));
        MlxRunner runner =
                new MlxRunner(decoder, jobs, scheduler, 2 * (settings.maxConcurrent() + settings.maxQueued()));
        group.meet();
        rank.watcher().warmingUp();
        rank.watcher().phase("warmup", "");
        new WarmUp(decoder, scheduler, context).run();
        WarmUp.converse(runner, rank.shard().modelCard().modelId());
        group.ready();
        watcher.open();
        return runner;
    }

    /** What was stamped on the instance, what the model was made for, and what the cache holds: the least of them. */
    private static int contextLimit(RankContext rank, Decoder decoder, int step) {
        int stamped = rank.instance().contextTokenLimit().orElse(Integer.MAX_VALUE);
        long held = decoder.cache().longestSequence(step);
        return (int) Math.min(Math.min(stamped, decoder.spec().maxContext()), held);
    }

    private static LoadOptions options(RankContext rank, EngineSettings settings, RankGroup group) {
        int context = rank.instance().contextTokenLimit().orElse(Integer.MAX_VALUE);
        return new LoadOptions(
                settings.threads(),
                settings.kernels(),
                settings.kv(),
                new LoadOptions.Limits(
                        settings.memoryBytes(),
                        Long.MAX_VALUE,
                        CACHE_BATCHES * (long) settings.maxConcurrent() * context,
                        context),
                RankGroup.part(rank.shard()),
                group.collectives());
    }

    private static GrammarConstraints constraints(TextModel text, OutputFormat format) {
        int[] endTokens = text.endTokens().stream().mapToInt(Integer::intValue).toArray();
        Vocabulary vocabulary = text.tokenizer().vocabulary();
        return new GrammarConstraints(new Grammars(vocabulary, endTokens), format, vocabulary);
    }

    /** The first offered drafter that has something for this model. */
    private static Supplier<Optional<Drafter>> drafters(RankContext rank, Decoder decoder) {
        TokensOnly target =
                new TokensOnly(decoder.spec().vocab(), decoder.spec().hidden());
        return () -> {
            for (DrafterFactory factory : rank.drafters()) {
                Optional<Drafter> drafter = factory.create(rank.shard().modelCard(), rank.companions(), target);
                if (drafter.isPresent()) {
                    return drafter;
                }
            }
            return Optional.empty();
        };
    }
}
