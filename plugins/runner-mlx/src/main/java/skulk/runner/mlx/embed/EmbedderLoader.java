package skulk.runner.mlx.embed;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.checkpoint.Quantization;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.WorkerPool;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.DecoderSpec;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.model.Weights;
import skulk.runner.mlx.text.Tokenizer;

/** Makes an embedder from a checkpoint folder as published: configuration, safetensors, tokenizer, sentence-transformers files. */
public final class EmbedderLoader {
    /** Rounds of the warm-up at most, and the lengths of its texts: enough that the kernels are compiled. */
    private static final int WARM_ROUNDS = 40;
    /** Large models take long for a round, but compile their loops in fewer. */
    private static final long WARM_NANOS = 1_500_000_000;

    private static final int[] WARM_LENGTHS = {3, 20, 64};

    private EmbedderLoader() {}

    /**
     * Loads, repacks and warms a model; blocks until it serves at full speed. Models that are no encoders are loaded as
     * decoders, whose hidden states are pooled.
     *
     * @throws skulk.runner.mlx.checkpoint.CheckpointException if the folder cannot be run, naming file, field or tensor
     */
    public static Embedder load(Path folder, EmbedOptions options) {
        return load(folder, options, Backend.best());
    }

    static Embedder load(Path folder, EmbedOptions options, Backend backend) {
        Tokenizer tokenizer = Tokenizer.load(folder);
        try {
            Loaded loaded = isEncoder(folder) ? encoder(folder, options, backend) : decoder(folder, options);
            return assemble(tokenizer, loaded, options);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    private static boolean isEncoder(Path folder) {
        return fields(folder).text("model_type").filter(EncoderConfig::isKnown).isPresent();
    }

    private static Fields fields(Path folder) {
        return SentenceFiles.fields(folder.resolve("config.json"));
    }

    private static Loaded encoder(Path folder, EmbedOptions options, Backend backend) {
        BertEncoder.Owned owned =
                new BertEncoder.Owned(backend, new WorkerPool(options.threads()), new NativeMemory(), options.fast());
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            Fields fields = new Fields(folder.resolve("config.json").toString(), checkpoint.config());
            EncoderConfig config = EncoderConfig.of(fields);
            SentenceFiles files = SentenceFiles.read(folder, config.hidden(), Pooling.MEAN);
            Weights weights = Weights.whole(checkpoint, Quantization.of(fields), owned.memory(), owned.workers());
            EncoderWeights loaded = EncoderWeights.load(weights, config);
            int limit = Math.min(files.limit(config.maxTokens()), options.maxTokens());
            BertEncoder encoder = new BertEncoder(config, loaded, files.pooling(), limit, owned);
            JsonObject facts = facts(config.modelType(), backend.describe(), loaded.bytes());
            return new Loaded(encoder, facts, files, config.vocab(), limit);
        } catch (RuntimeException | Error e) {
            owned.close();
            throw e;
        }
    }

    /** Decoders see one way, so only the last token has seen all: it is pooled unless a file says otherwise. */
    private static Loaded decoder(Path folder, EmbedOptions options) {
        LoadOptions load = LoadOptions.defaults()
                .withThreads(options.threads())
                .withKernels(options.fast() ? LoadOptions.Kernels.FAST : LoadOptions.Kernels.EXACT);
        Decoder decoder = DecoderLoader.load(folder, load);
        try {
            DecoderSpec spec = decoder.spec();
            SentenceFiles files = SentenceFiles.read(folder, spec.hidden(), Pooling.LAST);
            int held = (int) Math.min(
                    Integer.MAX_VALUE,
                    (long) decoder.cache().totalBlocks() * decoder.cache().blockSize());
            int limit = Math.min(files.limit(Math.min(spec.maxContext(), held)), options.maxTokens());
            JsonObject facts = facts(spec.modelType(), spec.kernels(), spec.weightBytes());
            return new Loaded(new DecoderEncoder(decoder, files.pooling()), facts, files, spec.vocab(), limit);
        } catch (RuntimeException | Error e) {
            decoder.close();
            throw e;
        }
    }

    private static JsonObject facts(String modelType, String kernels, long bytes) {
        return JsonObject.builder()
                .put("modelType", modelType)
                .put("kernels", kernels)
                .put("weightBytes", bytes)
                .build();
    }

    private static Embedder assemble(Tokenizer tokenizer, Loaded loaded, EmbedOptions options) {
        TextEncoder encoder = loaded.encoder;
        try {
            TextTokens tokens = new TextTokens(tokenizer, loaded.files, loaded.vocab, loaded.limit);
            Dimensions dimensions = Dimensions.of(fields(loaded.files.folder()), encoder.width(), options.matryoshka());
            warm(encoder, loaded.limit);
            JsonObject facts = loaded.facts
                    .with("maxTokens", loaded.limit)
                    .with("dimensions", encoder.width())
                    .with("pooling", loaded.files.pooling().name());
            BatchLoop loop = new BatchLoop(encoder, options.maxBatchTokens());
            return new EncoderEmbedder(facts, tokenizer, tokens, dimensions, loop);
        } catch (RuntimeException | Error e) {
            encoder.close();
            throw e;
        }
    }

    private static void warm(TextEncoder encoder, int limit) {
        long start = System.nanoTime();
        for (int round = 0; round < WARM_ROUNDS && System.nanoTime() - start < WARM_NANOS; round++) {
            encoder.encode(IntStream.of(WARM_LENGTHS)
                    .mapToObj(length -> new int[Math.min(length, limit)])
                    .toList());
            encoder.encode(List.of(new int[Math.min(WARM_LENGTHS[1], limit)]));
        }
    }

    /**
     * A model before its text side.
     *
     * @param facts for the report
     * @param limit most tokens of a text
     */
    private record Loaded(TextEncoder encoder, JsonObject facts, SentenceFiles files, int vocab, int limit) {}
}
