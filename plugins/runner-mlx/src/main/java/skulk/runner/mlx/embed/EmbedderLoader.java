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

    /** Whether a checkpoint's {@code model_type} is an encoder that this package runs. */
    public static boolean isEncoder(String modelType) {
        return EncoderConfig.isKnown(modelType);
    }

    /**
     * Loads, repacks and warms a model; blocks until it serves at full speed.
     *
     * @throws skulk.runner.mlx.checkpoint.CheckpointException if the folder cannot be run, naming file, field or tensor
     */
    public static Embedder load(Path folder, EmbedOptions options) {
        return load(folder, options, Backend.best());
    }

    static Embedder load(Path folder, EmbedOptions options, Backend backend) {
        BertEncoder.Owned owned =
                new BertEncoder.Owned(backend, new WorkerPool(options.threads()), new NativeMemory(), options.fast());
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return assemble(checkpoint, options, owned);
        } catch (RuntimeException | Error e) {
            owned.close();
            throw e;
        }
    }

    private static Embedder assemble(Checkpoint checkpoint, EmbedOptions options, BertEncoder.Owned owned) {
        Path folder = checkpoint.folder();
        Fields fields = new Fields(folder.resolve("config.json").toString(), checkpoint.config());
        EncoderConfig config = EncoderConfig.of(fields);
        SentenceFiles files = SentenceFiles.read(folder, config.hidden());
        Dimensions dimensions = Dimensions.of(fields, config.hidden(), options.matryoshka());
        Weights weights = Weights.whole(checkpoint, Quantization.of(fields), owned.memory(), owned.workers());
        EncoderWeights loaded = EncoderWeights.load(weights, config);
        int limit = files.limit(config.maxTokens());
        Tokenizer tokenizer = Tokenizer.load(folder);
        try {
            TextTokens tokens = new TextTokens(tokenizer, files, config.vocab(), limit);
            BertEncoder encoder = new BertEncoder(config, loaded, files.pooling(), limit, owned);
            warm(encoder, limit);
            JsonObject constants = JsonObject.builder()
                    .put("modelType", config.modelType())
                    .put("kernels", owned.backend().describe())
                    .put("weightBytes", loaded.bytes())
                    .put("maxTokens", limit)
                    .put("dimensions", config.hidden())
                    .put("pooling", files.pooling().name())
                    .build();
            BatchLoop loop = new BatchLoop(encoder, options.maxBatchTokens());
            return new EncoderEmbedder(constants, tokenizer, tokens, dimensions, loop);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    private static void warm(BertEncoder encoder, int limit) {
        long start = System.nanoTime();
        for (int round = 0; round < WARM_ROUNDS && System.nanoTime() - start < WARM_NANOS; round++) {
            encoder.encode(IntStream.of(WARM_LENGTHS)
                    .mapToObj(length -> new int[Math.min(length, limit)])
                    .toList());
            encoder.encode(List.of(new int[Math.min(WARM_LENGTHS[1], limit)]));
        }
    }
}
