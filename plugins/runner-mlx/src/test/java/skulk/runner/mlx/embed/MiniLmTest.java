package skulk.runner.mlx.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.generation.EmbeddingRequest.Embeddings;
import skulk.runner.mlx.checkpoint.DType;

/** The published all-MiniLM-L6-v2, out of the ONNX file of a Maven artifact, against ONNX Runtime. */
class MiniLmTest {
    private static final List<String> TEXTS = List.of(
            "The quick brown fox jumps over the lazy dog.",
            "a",
            "",
            "How do I reset my password?",
            "I forgot my login credentials and need to recover my account.",
            "Größere Straßen führen über die Brücke nach Köln.",
            "Le café était fermé, mais l'hôtel servait déjà le déjeuner.",
            "日本語の文章を埋め込みます。",
            "Привет, как дела? Сегодня хорошая погода.",
            "🦨🚀 emoji, ZWJ 👩‍👩‍👧 and flags 🇩🇪",
            "mixed e\u0301 combining and \u00e9 composed, \u200bzero width",
            "العربية من اليمين إلى اليسار",
            "public static void main(String[] args) { System.out.println(42); }",
            "SELECT name, COUNT(*) FROM users WHERE age > 30 GROUP BY name;",
            "pneumonoultramicroscopicsilicovolcanoconiosis",
            "1234567890 3.14159 -7e-12 0xDEADBEEF",
            "[CLS] special [MASK] tokens [SEP] inside",
            "Tab\tand\nnewline\r\nand   many     spaces",
            "The stock market fell sharply on Monday as investors worried about inflation. ".repeat(3),
            "A cluster of small machines serves a large model together. ".repeat(18),
            "word ".repeat(250));

    @ParameterizedTest
    @CsvSource({"F32, 0, 0.999999", "F16, 0, 0.99999", "F32, 8, 0.999"})
    void computesWhatOnnxRuntimeComputes(DType dtype, int bits, double least, @TempDir Path folder) throws Exception {
        MiniLm.write(folder, dtype, bits);
        try (Reference reference = new Reference(folder);
                Embedder embedder = EmbedderLoader.load(folder, EmbedOptions.defaults())) {
            if (bits == 0 && dtype == DType.F32) {
                assertCutsAsTheLibrary(embedder, reference);
            }
            Embeddings all = embedder.embed(Requests.of(TEXTS));
            int tokens = 0;
            for (int i = 0; i < TEXTS.size(); i++) {
                float[] mine = all.vectors().get(i);
                double[] theirs = reference.embed(TEXTS.get(i));
                double cosine = cosine(mine, theirs);
                assertTrue(cosine >= least, "cosine " + cosine + " for: " + TEXTS.get(i));
                tokens += reference.tokens(TEXTS.get(i));
            }
            assertEquals(tokens, all.promptTokens());
            assertEquals(384, embedder.dimensions());
            assertEquals(256, embedder.maxTokens());
        }
    }

    private static void assertCutsAsTheLibrary(Embedder embedder, Reference reference) throws OrtException {
        String text = "one two three four five six seven ".repeat(100);
        Embeddings cut = embedder.embed(Requests.of(List.of(text), Optional.empty(), true));
        assertEquals(256, cut.promptTokens());
        assertTrue(cosine(cut.vectors().getFirst(), reference.embed(text)) > 0.999999);
    }

    private static double cosine(float[] a, double[] b) {
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += b[i] * b[i];
        }
        assertEquals(1, aa, 1e-5, "the vector has unit length");
        return dot / Math.sqrt(aa * bb);
    }

    /** ONNX Runtime, with the tokenizer's own truncation to 256 tokens and a mean over all tokens. */
    private static final class Reference implements AutoCloseable {
        private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
        private final OrtSession session;
        private final HuggingFaceTokenizer tokenizer;

        Reference(Path folder) throws IOException, OrtException {
            OrtSession.SessionOptions options = new OrtSession.SessionOptions();
            options.setIntraOpNumThreads(1);
            session = environment.createSession(MiniLm.onnx(), options);
            tokenizer = HuggingFaceTokenizer.newInstance(
                    folder.resolve("tokenizer.json"),
                    Map.of("truncation", "true", "maxLength", "256", "padding", "false"));
        }

        int tokens(String text) {
            return tokenizer.encode(text).getIds().length;
        }

        double[] embed(String text) throws OrtException {
            Encoding encoding = tokenizer.encode(text);
            try (OnnxTensor ids = tensor(encoding.getIds());
                    OnnxTensor mask = tensor(encoding.getAttentionMask());
                    OnnxTensor types = tensor(encoding.getTypeIds());
                    OrtSession.Result result =
                            session.run(Map.of("input_ids", ids, "attention_mask", mask, "token_type_ids", types))) {
                float[][] rows = ((float[][][]) result.get(0).getValue())[0];
                double[] mean = new double[rows[0].length];
                for (float[] row : rows) {
                    for (int d = 0; d < mean.length; d++) {
                        mean[d] += row[d] / rows.length;
                    }
                }
                return mean;
            }
        }

        private OnnxTensor tensor(long[] values) throws OrtException {
            return OnnxTensor.createTensor(environment, new long[][] {values});
        }

        @Override
        public void close() throws OrtException {
            session.close();
            tokenizer.close();
        }
    }
}
