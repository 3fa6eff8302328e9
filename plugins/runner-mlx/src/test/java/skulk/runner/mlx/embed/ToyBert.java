package skulk.runner.mlx.embed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.DType;

/**
 * A small encoder with random weights and a straightforward evaluation of it in double precision, written after the
 * published description of bert and sharing no code with the engine.
 */
final class ToyBert {
    static final int VOCAB = 40;
    static final int POSITIONS = 50;
    private static final int TYPES = 2;
    private static final double EPS = 1e-12;

    private final Spec spec;
    private final TestFolder folder;

    /**
     * @param prefix before all names
     * @param bits of quantised matrices, 0 for none
     */
    record Spec(String modelType, String prefix, int hidden, int heads, int inner, String act, DType dtype, int bits) {
        static Spec plain() {
            return new Spec("bert", "", 24, 3, 40, "gelu", DType.F32, 0);
        }

        Spec withTypeAndPrefix(String type, String before) {
            return new Spec(type, before, hidden, heads, inner, act, dtype, bits);
        }

        Spec withAct(String name) {
            return new Spec(modelType, prefix, hidden, heads, inner, name, dtype, bits);
        }

        Spec stored(DType format, int width) {
            return new Spec(modelType, prefix, 64, 4, 96, act, format, width);
        }
    }

    ToyBert(Spec spec) {
        this.spec = spec;
        this.folder = new TestFolder(spec.dtype, spec.bits);
        Random random = new Random(17);
        int h = spec.hidden;
        add("embeddings.word_embeddings.weight", random, VOCAB, h);
        add("embeddings.position_embeddings.weight", random, POSITIONS, h);
        add("embeddings.token_type_embeddings.weight", random, TYPES, h);
        addNorm("embeddings.LayerNorm", random);
        for (int i = 0; i < 2; i++) {
            String at = "encoder.layer." + i + ".";
            for (String name : List.of("query", "key", "value")) {
                addLinear(at + "attention.self." + name, random, h, h);
            }
            addLinear(at + "attention.output.dense", random, h, h);
            addNorm(at + "attention.output.LayerNorm", random);
            addLinear(at + "intermediate.dense", random, spec.inner, h);
            addLinear(at + "output.dense", random, h, spec.inner);
            addNorm(at + "output.LayerNorm", random);
        }
    }

    private void add(String name, Random random, int rows, int cols) {
        float[] values = new float[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * 0.4);
        }
        folder.add(spec.prefix + name, TestFolder.shape(rows, cols), values);
    }

    private void addLinear(String path, Random random, int rows, int cols) {
        add(path + ".weight", random, rows, cols);
        addVector(path + ".bias", random, rows, 0);
    }

    private void addNorm(String path, Random random) {
        addVector(path + ".weight", random, spec.hidden, 1);
        addVector(path + ".bias", random, spec.hidden, 0);
    }

    private void addVector(String name, Random random, int size, float mean) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (mean + random.nextGaussian() * 0.2);
        }
        folder.add(spec.prefix + name, TestFolder.shape(size), values);
    }

    JsonObject config() {
        return JsonObject.builder()
                .put("model_type", spec.modelType)
                .put("vocab_size", VOCAB)
                .put("hidden_size", spec.hidden)
                .put("num_hidden_layers", 2)
                .put("num_attention_heads", spec.heads)
                .put("intermediate_size", spec.inner)
                .put("hidden_act", spec.act)
                .put("max_position_embeddings", POSITIONS)
                .put("type_vocab_size", TYPES)
                .put("layer_norm_eps", EPS)
                .put("pad_token_id", spec.modelType.equals("bert") ? 0 : 1)
                .build();
    }

    /** Writes the folder; words {@code w0} to {@code w36} are tokens 3 to 39, {@code [CLS]} is 1 and {@code [SEP]} 2. */
    Path write(Path path, JsonObject config) throws IOException {
        Files.createDirectories(path);
        folder.write(path, config);
        JsonObject.Builder vocab =
                JsonObject.builder().put("[UNK]", 0).put("[CLS]", 1).put("[SEP]", 2);
        for (int i = 3; i < VOCAB; i++) {
            vocab.put("w" + (i - 3), i);
        }
        Files.writeString(
                path.resolve("tokenizer.json"),
                TOKENIZER.replace("VOCAB", vocab.build().toString()));
        return path;
    }

    Path write(Path path) throws IOException {
        return write(path, config());
    }

    /** What the tokenizer makes of words by number. */
    static int[] tokens(int... words) {
        int[] out = new int[words.length + 2];
        out[0] = 1;
        for (int i = 0; i < words.length; i++) {
            out[i + 1] = words[i] + 3;
        }
        out[out.length - 1] = 2;
        return out;
    }

    static String text(int... words) {
        List<String> out = new ArrayList<>();
        for (int word : words) {
            out.add("w" + word);
        }
        return String.join(" ", out);
    }

    /** The last layer's rows. */
    double[][] rows(int[] tokens) {
        int first = spec.modelType.equals("bert") ? 0 : 2;
        double[][] x = new double[tokens.length][spec.hidden];
        for (int t = 0; t < tokens.length; t++) {
            for (int d = 0; d < spec.hidden; d++) {
                x[t][d] = value("embeddings.word_embeddings.weight", tokens[t], d)
                        + value("embeddings.position_embeddings.weight", first + t, d)
                        + value("embeddings.token_type_embeddings.weight", 0, d);
            }
        }
        norm(x, "embeddings.LayerNorm");
        for (int i = 0; i < 2; i++) {
            String at = "encoder.layer." + i + ".";
            double[][] mixed = linear(attention(x, at + "attention.self."), at + "attention.output.dense", spec.hidden);
            x = sum(x, mixed);
            norm(x, at + "attention.output.LayerNorm");
            double[][] inner = linear(x, at + "intermediate.dense", spec.inner);
            for (double[] row : inner) {
                for (int d = 0; d < row.length; d++) {
                    row[d] = activation(row[d]);
                }
            }
            x = sum(x, linear(inner, at + "output.dense", spec.hidden));
            norm(x, at + "output.LayerNorm");
        }
        return x;
    }

    private double[][] attention(double[][] x, String at) {
        double[][] q = linear(x, at + "query", spec.hidden);
        double[][] k = linear(x, at + "key", spec.hidden);
        double[][] v = linear(x, at + "value", spec.hidden);
        int width = spec.hidden / spec.heads;
        double[][] out = new double[x.length][spec.hidden];
        for (int head = 0; head < spec.heads; head++) {
            for (int i = 0; i < x.length; i++) {
                double[] weights = new double[x.length];
                double total = 0;
                for (int j = 0; j < x.length; j++) {
                    double dot = 0;
                    for (int d = head * width; d < (head + 1) * width; d++) {
                        dot += q[i][d] * k[j][d];
                    }
                    weights[j] = Math.exp(dot / Math.sqrt(width));
                    total += weights[j];
                }
                for (int j = 0; j < x.length; j++) {
                    for (int d = head * width; d < (head + 1) * width; d++) {
                        out[i][d] += weights[j] / total * v[j][d];
                    }
                }
            }
        }
        return out;
    }

    private double[][] linear(double[][] x, String path, int outputs) {
        double[][] out = new double[x.length][outputs];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < outputs; o++) {
                out[t][o] = values(path + ".bias")[o];
                for (int d = 0; d < x[t].length; d++) {
                    out[t][o] += x[t][d] * values(path + ".weight")[o * x[t].length + d];
                }
            }
        }
        return out;
    }

    private static double[][] sum(double[][] a, double[][] b) {
        double[][] out = new double[a.length][];
        for (int t = 0; t < a.length; t++) {
            out[t] = a[t].clone();
            for (int d = 0; d < out[t].length; d++) {
                out[t][d] += b[t][d];
            }
        }
        return out;
    }

    private void norm(double[][] x, String path) {
        for (double[] row : x) {
            double mean = java.util.Arrays.stream(row).average().orElseThrow();
            double variance = java.util.Arrays.stream(row)
                    .map(v -> (v - mean) * (v - mean))
                    .average()
                    .orElseThrow();
            for (int d = 0; d < row.length; d++) {
                row[d] = (row[d] - mean) / Math.sqrt(variance + EPS) * values(path + ".weight")[d]
                        + values(path + ".bias")[d];
            }
        }
    }

    private double activation(double x) {
        return switch (spec.act) {
            case "gelu" -> gelu(x);
            case "gelu_new" -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case "relu" -> Math.max(0, x);
            default -> throw new IllegalArgumentException(spec.act);
        };
    }

    /** {@code x Φ(x)}, the normal distribution integrated by Simpson's rule. */
    static double gelu(double x) {
        int steps = 2000;
        double end = Math.clamp(x, -12, 12);
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double t = end * i / steps;
            sum += Math.exp(-t * t / 2) * (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2);
        }
        return x * (0.5 + sum * end / steps / 3 / Math.sqrt(2 * Math.PI));
    }

    private float[] values(String name) {
        Map<String, float[]> stored = folder.stored();
        return stored.get(spec.prefix + name);
    }

    private double value(String name, int row, int col) {
        return values(name)[row * spec.hidden + col];
    }

    private static final String TOKENIZER = """
            {"version":"1.0","truncation":null,"padding":null,
             "added_tokens":[
              {"id":0,"content":"[UNK]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
              {"id":1,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
              {"id":2,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
             "normalizer":null,
             "pre_tokenizer":{"type":"Whitespace"},
             "post_processor":{"type":"TemplateProcessing",
              "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
                        {"SpecialToken":{"id":"[SEP]","type_id":0}}],
              "pair":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
                      {"SpecialToken":{"id":"[SEP]","type_id":0}},{"Sequence":{"id":"B","type_id":1}},
                      {"SpecialToken":{"id":"[SEP]","type_id":1}}],
              "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]},
                                "[SEP]":{"id":"[SEP]","ids":[2],"tokens":["[SEP]"]}}},
             "decoder":null,
             "model":{"type":"WordLevel","vocab":VOCAB,"unk_token":"[UNK]"}}
            """;
}
