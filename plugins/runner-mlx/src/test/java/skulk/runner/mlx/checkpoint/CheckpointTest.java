package skulk.runner.mlx.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.Quantization.Format;

class CheckpointTest {
    @TempDir
    Path folder;

    @Test
    void readsShardsThroughTheIndex() throws IOException {
        config("{}");
        shard("one.safetensors", "a");
        shard("two.safetensors", "b");
        index("{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertEquals(List.of("a", "b"), checkpoint.names());
            assertEquals(
                    "two.safetensors", checkpoint.get("b").file().getFileName().toString());
            assertTrue(refusal(() -> checkpoint.get("c")).contains("tensor c is missing"));
        }
    }

    @Test
    void refusesBrokenIndexes() throws IOException {
        config("{}");
        shard("one.safetensors", "a");
        index("{\"weight_map\":{\"a\":\"two.safetensors\"}}");
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("two.safetensors: no such file"));
        index("{\"weight_map\":{\"b\":\"one.safetensors\"}}");
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("tensor b is missing"));
        index("{\"weight_map\":{\"a\":\"../one.safetensors\"}}");
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("not a file name"));
        index("{}");
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("weight_map is missing"));
    }

    @Test
    void refusesIncompleteFolders() throws IOException {
        assertTrue(refusal(() -> Checkpoint.open(folder.resolve("none"))).contains("no such folder"));
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("config.json: no such file"));
        config("{");
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("not valid JSON"));
        config("{}");
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("no *.safetensors"));
        shard("one.safetensors", "a");
        shard("two.safetensors", "a");
        assertTrue(refusal(() -> Checkpoint.open(folder)).contains("another file"));
    }

    @Test
    void quantisationFollowsOverrides() {
        Quantization q = quantization("""
                {"quantization":{"group_size":64,"bits":4,
                  "model.layers.0.mlp":{"group_size":32,"bits":8},"lm_head":false,"model.norm":true}}""");
        assertEquals(Optional.of(new Format(4, 64, "affine")), q.at("model.layers.1.mlp"));
        assertEquals(Optional.of(new Format(8, 32, "affine")), q.at("model.layers.0.mlp"));
        assertEquals(Optional.empty(), q.at("lm_head"));
        assertEquals(Optional.of(new Format(4, 64, "affine")), q.at("model.norm"));
        assertEquals(Optional.empty(), quantization("{}").at("any"));
        assertEquals(
                Optional.of(new Format(4, 32, "mxfp4")),
                quantization("{\"quantization_config\":{\"quant_method\":\"mxfp4\"}}")
                        .at("any"));
    }

    @Test
    void overridesStartFromDefaultsNotFromTheFormatAroundThem() {
        Quantization q = quantization("""
                {"quantization":{"group_size":32,"bits":4,"mode":"mxfp4",
                  "lm_head":{"group_size":128,"bits":8},"model.embed_tokens":{"bits":6}}}""");
        assertEquals(Optional.of(new Format(4, 32, "mxfp4")), q.at("model.layers.0.mlp.experts.up_proj"));
        assertEquals(Optional.of(new Format(8, 128, "affine")), q.at("lm_head"));
        assertEquals(Optional.of(new Format(6, 64, "affine")), q.at("model.embed_tokens"));
    }

    @Test
    void smallFloatsHaveTheirOwnWidthAndGroup() {
        for (Format format :
                List.of(new Format(4, 32, "mxfp4"), new Format(4, 16, "nvfp4"), new Format(8, 32, "mxfp8"))) {
            assertEquals(
                    Optional.of(format),
                    quantization("{\"quantization\":{\"mode\":\"" + format.mode() + "\"}}")
                            .at("any"));
            assertTrue(refusal(() ->
                            quantization("{\"quantization\":{\"mode\":\"" + format.mode() + "\",\"group_size\":64}}"))
                    .contains("group_size is 64 (" + format.mode() + "); known are " + format.group()));
        }
        assertTrue(refusal(() -> quantization("{\"quantization\":{\"mode\":\"nvfp4\",\"bits\":8}}"))
                .contains("bits is 8 (nvfp4); known are 4"));
    }

    @Test
    void refusesFormatsByName() {
        assertTrue(refusal(() -> quantization("{\"quantization\":{\"mode\":\"mxfp6\"}}"))
                .contains("mode is mxfp6; known are affine, mxfp4, nvfp4, mxfp8"));
    }

    @Test
    void refusesUnknownQuantisation() {
        assertTrue(
                refusal(() -> quantization("{\"quantization\":{\"bits\":7}}")).contains("bits is 7"));
        assertTrue(refusal(() -> quantization("{\"quantization\":{\"group_size\":48}}"))
                .contains("48"));
        assertTrue(refusal(() -> quantization("{\"quantization\":{\"mode\":\"nf4\"}}"))
                .contains("nf4"));
        assertTrue(refusal(() -> quantization("{\"quantization_config\":{\"quant_method\":\"awq\"}}"))
                .contains("awq"));
        assertTrue(refusal(() -> quantization("{\"quantization\":{\"bits\":\"4\"}}"))
                .contains("bits"));
    }

    private static Quantization quantization(String config) {
        return Quantization.of(new Fields("config.json", (JsonObject) Json.parse(config)));
    }

    private void config(String text) throws IOException {
        Files.writeString(folder.resolve("config.json"), text);
    }

    private void index(String text) throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), text);
    }

    private void shard(String file, String tensor) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        writer.add(tensor, DType.F32, List.of(1L), out -> out.putFloat(1));
        writer.write(folder.resolve(file));
    }

    private static String refusal(org.junit.jupiter.api.function.Executable action) {
        return assertThrows(CheckpointException.class, action).getMessage();
    }
}
