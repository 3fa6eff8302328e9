package skulk.distribution;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import skulk.api.json.JsonObject;

/** A llama checkpoint of random bf16 weights in two shards, with the tokenizer of the embedded model: large enough to be interrupted, and it answers. */
final class ToyModel {
    private static final int HIDDEN = 512;
    private static final int FEED_FORWARD = 1536;
    private static final int LAYERS = 7;
    private static final int LAYER_MEGABYTES = 7;
    private static final int VOCABULARY = 2048;

    private ToyModel() {}

    /** The files of the model that comes with the distribution. */
    static Path embedded() {
        return Path.of(System.getProperty("skulk.plugins", "../plugins"))
                .resolve("storage-embedded/src/main/resources/skulk/storage/embedded/skulk--tiny-chat-4bit");
    }

    /** About 50 MB. */
    static Path write(Path folder) throws IOException {
        return write(folder, LAYERS);
    }

    /** About as large as asked, in layers of 7 MB. */
    static Path ofMegabytes(Path folder, int megabytes) throws IOException {
        return write(folder, Math.max(2, megabytes / LAYER_MEGABYTES));
    }

    private static Path write(Path folder, int layers) throws IOException {
        Files.createDirectories(folder);
        for (String name : List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
            Files.copy(embedded().resolve(name), folder.resolve(name));
        }
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d, "intermediate_size": %d,
                 "num_hidden_layers": %d, "num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": %d,
                 "max_position_embeddings": 512, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "hidden_act": "silu",
                 "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": [2, 0], "torch_dtype": "bfloat16"}
                """.formatted(HIDDEN, FEED_FORWARD, layers, VOCABULARY));
        Map<String, Integer> first = new LinkedHashMap<>();
        Map<String, Integer> second = new LinkedHashMap<>();
        first.put("model.embed_tokens.weight", VOCABULARY);
        for (int layer = 0; layer < layers; layer++) {
            Map<String, Integer> shard = layer < layers / 2 ? first : second;
            String prefix = "model.layers." + layer + ".";
            shard.put(prefix + "input_layernorm.weight", 0);
            shard.put(prefix + "post_attention_layernorm.weight", 0);
            for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
                shard.put(prefix + "self_attn." + name + ".weight", HIDDEN);
            }
            for (String name : List.of("gate_proj", "up_proj", "down_proj")) {
                shard.put(prefix + "mlp." + name + ".weight", FEED_FORWARD);
            }
        }
        second.put("model.norm.weight", 0);
        JsonObject.Builder map = JsonObject.builder();
        shard(folder.resolve("model-00001-of-00002.safetensors"), first, map);
        shard(folder.resolve("model-00002-of-00002.safetensors"), second, map);
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                JsonObject.of("weight_map", map.build()).toString());
        return folder;
    }

    /** @param tensors the size besides {@link #HIDDEN} of each matrix; 0 = a vector */
    private static void shard(Path file, Map<String, Integer> tensors, JsonObject.Builder map) throws IOException {
        JsonObject.Builder header = JsonObject.builder();
        long offset = 0;
        for (Map.Entry<String, Integer> tensor : tensors.entrySet()) {
            long bytes = 2L * HIDDEN * Math.max(1, tensor.getValue());
            List<Integer> shape = tensor.getValue() == 0
                    ? List.of(HIDDEN)
                    : tensor.getKey().contains("down_proj")
                            ? List.of(HIDDEN, tensor.getValue())
                            : List.of(tensor.getValue(), HIDDEN);
            header.put(
                    tensor.getKey(),
                    JsonObject.builder()
                            .put("dtype", "BF16")
                            .put("shape", shape)
                            .put("data_offsets", List.of(offset, offset + bytes))
                            .build());
            map.put(tensor.getKey(), file.getFileName().toString());
            offset += bytes;
        }
        byte[] text = header.build().toString().getBytes(StandardCharsets.UTF_8);
        Random random = new Random(file.getFileName().toString().hashCode());
        try (OutputStream raw = Files.newOutputStream(file);
                DataOutputStream out = new DataOutputStream(new BufferedOutputStream(raw, 1 << 20))) {
            out.writeLong(Long.reverseBytes(text.length));
            out.write(text);
            for (int rows : tensors.values()) {
                out.write(rows == 0 ? ones() : weights(HIDDEN * rows, random));
            }
        }
    }

    private static byte[] ones() {
        return bytes(HIDDEN, i -> (short) 0x3f80);
    }

    /** Magnitudes from 2^-7 to 2^-6 of either sign. */
    private static byte[] weights(int count, Random random) {
        return bytes(count, i -> (short) (random.nextInt() & 0x807f | 0x3c00));
    }

    private interface Values {
        short at(int i);
    }

    private static byte[] bytes(int count, Values values) {
        ByteBuffer buffer = ByteBuffer.allocate(2 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            buffer.putShort(values.at(i));
        }
        return buffer.array();
    }
}
