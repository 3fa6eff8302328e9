package skulk.runner.mlx.embed;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.DType;

/**
 * The published all-MiniLM-L6-v2 as a checkpoint folder: the weights are in the ONNX file of a Maven artifact, the rest is what the model's authors publish
 * beside them. Tests of the packaged program use it as well.
 */
public final class MiniLm {
    private static final String CONFIG = """
            {"architectures":["BertModel"],"model_type":"bert","vocab_size":30522,"hidden_size":384,"num_hidden_layers":6,
             "num_attention_heads":12,"intermediate_size":1536,"hidden_act":"gelu","max_position_embeddings":512,
             "type_vocab_size":2,"layer_norm_eps":1e-12,"pad_token_id":0,"position_embedding_type":"absolute"}
            """;
    private static final String MODULES = """
            [{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
             {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
             {"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]
            """;
    private static final String POOLING = """
            {"word_embedding_dimension":384,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true,
             "pooling_mode_max_tokens":false,"pooling_mode_mean_sqrt_len_tokens":false}
            """;

    private MiniLm() {}

    /** Writes the folder with the numbers as they were published, 90 MB. */
    public static void write(Path folder) throws IOException {
        write(folder, DType.F32, 0);
    }

    /** @param bits of quantised matrices, 0 for none */
    static void write(Path folder, DType dtype, int bits) throws IOException {
        TestFolder out = new TestFolder(dtype, bits);
        OnnxGraph.read(onnx()).named().forEach((name, values) -> out.add(name, values.shape(), values.data()));
        Files.createDirectories(folder.resolve("1_Pooling"));
        out.write(folder, (JsonObject) Json.parse(CONFIG));
        Files.write(folder.resolve("tokenizer.json"), resource("all-minilm-l6-v2-tokenizer.json"));
        Files.writeString(folder.resolve("modules.json"), MODULES);
        Files.writeString(
                folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\":256,\"do_lower_case\":false}");
        Files.writeString(folder.resolve("1_Pooling/config.json"), POOLING);
    }

    /** The model as ONNX Runtime reads it. */
    static byte[] onnx() throws IOException {
        return resource("all-minilm-l6-v2.onnx");
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = ClassLoader.getSystemResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }
}
