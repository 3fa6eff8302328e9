package skulk.runner.mlx.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.SafetensorsWriter;

/**
 * Checkpoints of real shapes with random weights, for benchmarks: speed does not depend on the values, and nothing needs
 * to be downloaded. The folder is in the published layout, with a plain tokenizer, and loads like any other.
 */
public final class SyntheticCheckpoint {
    private static final Map<String, Shape> SHAPES = new TreeMap<>(Map.of(
            "probe-small", new Shape("llama", 512, 48, 1024, 8, 4, 64, 1024),
            "probe-large", new Shape("llama", 2048, 2, 8192, 32, 8, 64, 1024),
            "llama-1b", new Shape("llama", 2048, 16, 8192, 32, 8, 64, 128256),
            "llama-3b", new Shape("llama", 3072, 28, 8192, 24, 8, 128, 128256),
            "smollm-135m", new Shape("llama", 576, 30, 1536, 9, 3, 64, 49152),
            "smollm-360m", new Shape("llama", 960, 32, 2560, 15, 5, 64, 49152),
            "qwen2-0.5b", new Shape("qwen2", 896, 24, 4864, 14, 2, 64, 151936),
            "qwen3-0.6b", new Shape("qwen3", 1024, 28, 3072, 16, 8, 128, 151936),
            "qwen3-1.7b", new Shape("qwen3", 2048, 28, 6144, 16, 8, 128, 151936)));

    private final Shape shape;
    private final int bits;
    private final int group;
    private final SafetensorsWriter writer = new SafetensorsWriter();
    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(7);

    private SyntheticCheckpoint(Shape shape, int bits, int group) {
        this.shape = shape;
        this.bits = bits;
        this.group = group;
    }

    /** Names of the shapes that {@link #write} knows. */
    public static List<String> shapes() {
        return List.copyOf(SHAPES.keySet());
    }

    /** Multiply-adds of one token through a shape, output head included, attention not. */
    static long products(String name) {
        Shape shape = SHAPES.get(name);
        long heads = (2L * shape.heads + 2L * shape.kvHeads) * shape.width;
        return shape.layers * (heads + 3L * shape.inner) * shape.hidden + (long) shape.vocab * shape.hidden;
    }

    /**
     * Writes a checkpoint.
     *
     * @param folder created if absent
     * @param name one of {@link #shapes()}
     * @param bits 4 or 8 for affine quantisation, 16 for BF16
     * @param group 32, 64 or 128; without meaning for 16 bits
     * @throws IllegalArgumentException for an unknown shape, listing the known ones
     */
    public static void write(Path folder, String name, int bits, int group) throws IOException {
        Shape shape = SHAPES.get(name);
        if (shape == null) {
            throw new IllegalArgumentException("no shape " + name + "; known are " + String.join(", ", shapes()));
        }
        Files.createDirectories(folder);
        SyntheticCheckpoint checkpoint = new SyntheticCheckpoint(shape, bits, group);
        checkpoint.declare();
        checkpoint.writer.write(folder.resolve("model.safetensors"));
        SyntheticTokenizer.write(folder, shape.vocab);
        Files.writeString(folder.resolve("config.json"), checkpoint.config().toPrettyString());
    }

    /** Writes one into a folder of its own, see {@link #write}. */
    public static Temporary temporary(String name, int bits, int group) throws IOException {
        Temporary made = new Temporary(Files.createTempDirectory("skulk-synthetic"));
        try {
            write(made.folder, name, bits, group);
            return made;
        } catch (IOException | RuntimeException e) {
            made.close();
            throw e;
        }
    }

    /** A checkpoint that goes when it is closed. */
    public record Temporary(Path folder) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private JsonObject config() {
        JsonObject.Builder config = JsonObject.builder()
                .put("model_type", shape.type)
                .put("hidden_size", shape.hidden)
                .put("num_hidden_layers", shape.layers)
                .put("intermediate_size", shape.inner)
                .put("num_attention_heads", shape.heads)
                .put("num_key_value_heads", shape.kvHeads)
                .put("head_dim", shape.width)
                .put("vocab_size", shape.vocab)
                .put("max_position_embeddings", 131072)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 500000.0)
                .put("tie_word_embeddings", true);
        if (bits < 16) {
            config.put("quantization", Map.of("group_size", group, "bits", bits));
        }
        return config.build();
    }

    private void declare() {
        matrix("model.embed_tokens", shape.vocab, shape.hidden);
        for (int i = 0; i < shape.layers; i++) {
            String path = "model.layers." + i;
            vector(path + ".input_layernorm.weight", shape.hidden, 1);
            vector(path + ".post_attention_layernorm.weight", shape.hidden, 1);
            projection(path + ".self_attn.q_proj", shape.heads * shape.width);
            projection(path + ".self_attn.k_proj", shape.kvHeads * shape.width);
            projection(path + ".self_attn.v_proj", shape.kvHeads * shape.width);
            matrix(path + ".self_attn.o_proj", shape.hidden, shape.heads * shape.width);
            if (shape.type.equals("qwen3")) {
                vector(path + ".self_attn.q_norm.weight", shape.width, 1);
                vector(path + ".self_attn.k_norm.weight", shape.width, 1);
            }
            matrix(path + ".mlp.gate_proj", shape.inner, shape.hidden);
            matrix(path + ".mlp.up_proj", shape.inner, shape.hidden);
            matrix(path + ".mlp.down_proj", shape.hidden, shape.inner);
        }
        vector("model.norm.weight", shape.hidden, 1);
    }

    private void projection(String path, int rows) {
        matrix(path, rows, shape.hidden);
        if (shape.type.equals("qwen2")) {
            vector(path + ".bias", rows, 0);
        }
    }

    private void vector(String name, int size, float value) {
        writer.add(name, DType.BF16, List.of((long) size), out -> fill(out, value));
    }

    private static void fill(ByteBuffer out, float value) {
        short bits = (short) (Float.floatToRawIntBits(value) >>> 16);
        while (out.hasRemaining()) {
            out.putShort(bits);
        }
    }

    /** Values spread evenly with a variance of one over the row length, so that activations keep their size. */
    private void matrix(String path, long rows, long cols) {
        float spread = (float) Math.sqrt(12.0 / cols);
        if (bits == 16) {
            writer.add(path + ".weight", DType.BF16, List.of(rows, cols), out -> {
                while (out.hasRemaining()) {
                    float value = (random.nextFloat() - 0.5f) * spread;
                    out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                }
            });
            return;
        }
        float scale = spread / (1 << bits);
        writer.add(path + ".weight", DType.U32, List.of(rows, cols * bits / 32), out -> {
            while (out.remaining() >= 8) {
                out.putLong(random.nextLong());
            }
            while (out.hasRemaining()) {
                out.putInt(random.nextInt());
            }
        });
        List<Long> groups = List.of(rows, cols / group);
        writer.add(path + ".scales", DType.BF16, groups, out -> fill(out, scale));
        writer.add(path + ".biases", DType.BF16, groups, out -> fill(out, -spread / 2));
    }

    private record Shape(
            String type, int hidden, int layers, int inner, int heads, int kvHeads, int width, int vocab) {}
}
