package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.SafetensorsWriter;

/** Checkpoints that cannot run are refused with the field or tensor; odd sizes run. */
class DecoderLoaderTest {
    private static final String CONFIG = """
            {"model_type":"llama","hidden_size":36,"num_hidden_layers":2,"intermediate_size":50,"num_attention_heads":3,
             "num_key_value_heads":1,"head_dim":12,"vocab_size":101,"max_position_embeddings":64,"rms_norm_eps":1e-5,
             "tie_word_embeddings":true}""";

    @TempDir
    Path folder;

    private final TreeMap<String, List<Long>> tensors = new TreeMap<>();

    DecoderLoaderTest() {
        tensors.put("model.embed_tokens.weight", List.of(101L, 36L));
        tensors.put("model.norm.weight", List.of(36L));
        for (int i = 0; i < 2; i++) {
            String path = "model.layers." + i;
            tensors.put(path + ".input_layernorm.weight", List.of(36L));
            tensors.put(path + ".post_attention_layernorm.weight", List.of(36L));
            tensors.put(path + ".self_attn.q_proj.weight", List.of(36L, 36L));
            tensors.put(path + ".self_attn.k_proj.weight", List.of(12L, 36L));
            tensors.put(path + ".self_attn.v_proj.weight", List.of(12L, 36L));
            tensors.put(path + ".self_attn.o_proj.weight", List.of(36L, 36L));
            tensors.put(path + ".mlp.gate_proj.weight", List.of(50L, 36L));
            tensors.put(path + ".mlp.up_proj.weight", List.of(50L, 36L));
            tensors.put(path + ".mlp.down_proj.weight", List.of(36L, 50L));
        }
    }

    @Test
    void runsOddSizesAndRefusesWhatDoesNotFit() throws IOException {
        write(CONFIG, DType.F32);
        try (Decoder decoder = DecoderLoader.load(folder, LoadOptions.defaults().withThreads(2))) {
            assertEquals(101, decoder.spec().vocab());
            Logits logits = new Logits();
            try (KvSequence sequence = decoder.cache().newSequence()) {
                decoder.forward(new Batch(List.of(new Batch.Slice(sequence, new int[] {1, 100, 0}, 2))), logits);
                assertEquals(2, logits.rows());
                for (int[] bad : new int[][] {{101}, {-1}, new int[62]}) {
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> decoder.forward(new Batch(List.of(new Batch.Slice(sequence, bad, 0))), logits));
                }
                assertEquals(3, sequence.length());
            }
            KvSequence closed = decoder.cache().newSequence();
            closed.close();
            assertThrows(
                    IllegalArgumentException.class,
                    () -> decoder.forward(new Batch(List.of(new Batch.Slice(closed, new int[] {1}, 0))), logits));
        }
    }

    @Test
    void aFullCacheChangesNothing() throws IOException {
        write(CONFIG, DType.F32);
        LoadOptions.Limits limits = new LoadOptions.Limits(Long.MAX_VALUE, 20_000, 64);
        try (Decoder decoder = DecoderLoader.load(folder, LoadOptions.defaults().withLimits(limits))) {
            int blocks = decoder.cache().totalBlocks();
            KvSequence sequence = decoder.cache().newSequence();
            KvSequence other = decoder.cache().newSequence();
            Batch batch = new Batch(List.of(
                    new Batch.Slice(sequence, new int[16 * (blocks - 1)], 1), new Batch.Slice(other, new int[17], 1)));
            assertThrows(CacheFullException.class, () -> decoder.forward(batch, new Logits()));
            assertEquals(0, sequence.length());
            assertEquals(0, decoder.cache().usedBytes());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "model_type":"mamba"          | model_type mamba is not supported; known are
            "num_hidden_layers":3         | model.layers.2
            "num_hidden_layers":0         | num_hidden_layers is 0
            "hidden_size":40              | has shape [
            "hidden_size":"big"           | hidden_size
            "num_attention_heads":null    | num_attention_heads is missing
            "num_key_value_heads":2       | not a multiple of 2
            "head_dim":11                 | head_dim
            "vocab_size":-5               | vocab_size is -5
            "hidden_act":"mish"           | hidden_act is mish; known are
            "rope_scaling":{"rope_type":"spiral"} | rope_type is spiral; known are
            "rope_theta":0                | rope_theta is 0
            "attention_bias":true         | q_proj.bias is missing
            "tie_word_embeddings":false   | lm_head.weight is missing
            "layer_types":["full_attention"] | layer_types has 1 entries
            "layer_types":["full_attention","mamba"] | layer_types holds mamba
            "layer_types":["full_attention","sliding_attention"] | sliding_window is missing
            """)
    void refusesConfigurationsByField(String field, String message) throws IOException {
        JsonObject change = (JsonObject) Json.parse("{" + field + "}");
        JsonObject config = (JsonObject) Json.parse(CONFIG);
        for (var member : change.members().entrySet()) {
            config = config.with(member.getKey(), member.getValue());
        }
        write(config.toString(), DType.BF16);
        refuses(message);
    }

    @Test
    void refusesTensorsByName() throws IOException {
        tensors.remove("model.layers.1.mlp.up_proj.weight");
        write(CONFIG, DType.F16);
        refuses("model.layers.1.mlp.up_proj.weight is missing");
        tensors.put("model.layers.1.mlp.up_proj.weight", List.of(50L, 37L));
        write(CONFIG, DType.F16);
        refuses("model.layers.1.mlp.up_proj.weight has shape [50, 37], expected [50, 36]");
        tensors.put("model.layers.1.mlp.up_proj.weight", List.of(50L, 36L));
        write(CONFIG, DType.I32);
        refuses("is I32");
        tensors.put("model.layers.1.mlp.up_proj.scales", List.of(50L, 1L));
        write(CONFIG, DType.F16);
        refuses("model.layers.1.mlp.up_proj");
    }

    private void refuses(String message) {
        CheckpointException e = assertThrows(
                CheckpointException.class,
                () -> DecoderLoader.load(folder, LoadOptions.defaults().withThreads(1))
                        .close());
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains(folder.toString()), e.getMessage());
    }

    private void write(String config, DType dtype) throws IOException {
        Random random = new Random(5);
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach((name, shape) -> writer.add(name, dtype, shape, out -> {
            while (out.hasRemaining()) {
                float value = (random.nextFloat() - 0.5f) / 4;
                if (dtype.bytes() == 4) {
                    out.putFloat(value);
                } else {
                    out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                }
            }
        }));
        writer.write(folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("config.json"), config);
    }
}
