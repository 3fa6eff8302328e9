package skulk.runner.mlx.embed;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.SafetensorsWriter;

/** Writes checkpoint folders as they are published: every tensor in one number format, matrices quantised if asked. */
final class TestFolder {
    private static final int GROUP = 32;

    private final DType dtype;
    private final int bits;
    private final SafetensorsWriter writer = new SafetensorsWriter();
    private final Map<String, float[]> stored = new LinkedHashMap<>();

    /** @param bits of quantised matrices, 0 for none */
    TestFolder(DType dtype, int bits) {
        this.dtype = dtype;
        this.bits = bits;
    }

    /** Adds a tensor. @return the values that a reader of the file gets */
    float[] add(String name, List<Long> shape, float[] values) {
        float[] out;
        if (bits > 0 && shape.size() == 2) {
            out = addQuantised(name.substring(0, name.length() - ".weight".length()), shape, values);
        } else {
            out = rounded(values);
            writer.add(name, dtype, shape, buffer -> put(buffer, values));
        }
        stored.put(name, out);
        return out;
    }

    /** Affine quantisation as MLX packs it: little-endian bit stream per row, scale and bias per group. */
    private float[] addQuantised(String path, List<Long> shape, float[] values) {
        int groups = values.length / GROUP;
        float[] scales = new float[groups];
        float[] biases = new float[groups];
        int[] words = new int[values.length * bits / 32];
        float[] out = new float[values.length];
        int steps = (1 << bits) - 1;
        for (int g = 0; g < groups; g++) {
            float low = Float.POSITIVE_INFINITY;
            float high = Float.NEGATIVE_INFINITY;
            for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
                low = Math.min(low, values[i]);
                high = Math.max(high, values[i]);
            }
            scales[g] = round((high - low) / steps);
            biases[g] = round(low);
            for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
                int q = Math.clamp(Math.round((values[i] - biases[g]) / scales[g]), 0, steps);
                words[i * bits / 32] |= q << (i * bits % 32);
                out[i] = q * scales[g] + biases[g];
            }
        }
        List<Long> packed = List.of(shape.get(0), shape.get(1) * bits / 32);
        List<Long> perGroup = List.of(shape.get(0), shape.get(1) / GROUP);
        writer.add(
                path + ".weight",
                DType.U32,
                packed,
                buffer -> buffer.asIntBuffer().put(words));
        writer.add(path + ".scales", dtype, perGroup, buffer -> put(buffer, scales));
        writer.add(path + ".biases", dtype, perGroup, buffer -> put(buffer, biases));
        return out;
    }

    private float[] rounded(float[] values) {
        float[] out = new float[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = round(values[i]);
        }
        return out;
    }

    private float round(float value) {
        return switch (dtype) {
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> Float.intBitsToFloat(Float.floatToRawIntBits(value) + 0x8000 & 0xffff0000);
            default -> value;
        };
    }

    private void put(ByteBuffer buffer, float[] values) {
        for (float value : values) {
            switch (dtype) {
                case F16 -> buffer.putShort(Float.floatToFloat16(value));
                case BF16 -> buffer.putShort((short) (Float.floatToRawIntBits(round(value)) >>> 16));
                default -> buffer.putFloat(value);
            }
        }
    }

    /** What a reader gets, by the name without quantisation. */
    Map<String, float[]> stored() {
        return stored;
    }

    /** Writes {@code model.safetensors} and {@code config.json}. */
    void write(Path folder, JsonObject config) throws IOException {
        writer.write(folder.resolve("model.safetensors"));
        JsonObject whole = bits == 0
                ? config
                : config.with(
                        "quantization",
                        JsonObject.builder()
                                .put("group_size", GROUP)
                                .put("bits", bits)
                                .build());
        Files.writeString(folder.resolve("config.json"), whole.toString());
    }

    static List<Long> shape(long... sizes) {
        return LongStream.of(sizes).boxed().toList();
    }
}
