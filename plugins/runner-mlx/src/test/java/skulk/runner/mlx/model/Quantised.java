package skulk.runner.mlx.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.SafetensorsWriter;
import skulk.runner.mlx.checkpoint.Tensor;

/** Writes a plain checkpoint again with its matrices in 4 bits, groups of 64; those of other widths stay as they are. */
final class Quantised {
    private static final int GROUP = 64;
    private static final int PER_WORD = 8;

    private Quantised() {}

    static Path write(Path source, Path folder) throws IOException {
        Files.createDirectories(folder);
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            for (String name : checkpoint.names()) {
                add(writer, name, checkpoint.get(name));
            }
            JsonObject format = JsonObject.builder()
                    .put("group_size", (long) GROUP)
                    .put("bits", 4L)
                    .build();
            JsonObject config = checkpoint.config().with("quantization", format);
            Files.writeString(folder.resolve("config.json"), config.toString());
            writer.write(folder.resolve("model.safetensors"));
        }
        return folder;
    }

    private static void add(SafetensorsWriter writer, String name, Tensor tensor) {
        float[] values = tensor.floats(0, (int) tensor.size());
        if (tensor.shape().size() != 2 || tensor.dim(1) % GROUP != 0) {
            writer.add(
                    name, DType.F32, tensor.shape(), out -> out.asFloatBuffer().put(values));
            return;
        }
        String path = name.substring(0, name.length() - "weight".length());
        int groups = values.length / GROUP;
        float[] scales = new float[groups];
        float[] biases = new float[groups];
        for (int g = 0; g < groups; g++) {
            float low = Float.POSITIVE_INFINITY;
            float high = Float.NEGATIVE_INFINITY;
            for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
                low = Math.min(low, values[i]);
                high = Math.max(high, values[i]);
            }
            scales[g] = Math.max((high - low) / 15, 1e-7f);
            biases[g] = low;
        }
        List<Long> packed = List.of(tensor.dim(0), tensor.dim(1) / PER_WORD);
        List<Long> perGroup = List.of(tensor.dim(0), tensor.dim(1) / GROUP);
        writer.add(name, DType.U32, packed, out -> pack(out, values, scales, biases));
        writer.add(
                path + "scales", DType.F32, perGroup, out -> out.asFloatBuffer().put(scales));
        writer.add(
                path + "biases", DType.F32, perGroup, out -> out.asFloatBuffer().put(biases));
    }

    private static void pack(ByteBuffer out, float[] values, float[] scales, float[] biases) {
        for (int at = 0; at < values.length; at += PER_WORD) {
            int word = 0;
            for (int i = 0; i < PER_WORD; i++) {
                int g = (at + i) / GROUP;
                word |= Math.clamp(Math.round((values[at + i] - biases[g]) / scales[g]), 0, 15) << 4 * i;
            }
            out.putInt(word);
        }
    }
}
