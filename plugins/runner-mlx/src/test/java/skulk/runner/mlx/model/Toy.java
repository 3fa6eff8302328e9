package skulk.runner.mlx.model;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.SafetensorsWriter;

/**
 * A tiny model described in {@code toys/<name>.json}: its configuration, its tensors with a rule for their random
 * values, and the first logits of some rows: as an independent evaluation in double precision gave them, or, for nvfp4, mxfp8 and those
 * in {@code toys/bf16}, as MLX 0.32 did on a CPU.
 *
 * <p>A rule is {@code F32 <shape> <middle> <spread>} or {@code BF16 …} for values spread evenly, {@code U32 <shape>} for random bits or
 * {@code U8 <shape> <lowest> <count>}. Value {@code i} of a tensor comes from output {@code i} of SplitMix64 seeded with
 * the FNV-1a hash of its name.
 */
record Toy(String name, JsonObject json) {
    private static final String FOLDER = "toys";

    /** All toys in floats. */
    static List<Toy> all() {
        return all(FOLDER);
    }

    /** All toys that MLX computes in BF16. */
    static List<Toy> bf16() {
        return all(FOLDER + "/bf16");
    }

    private static List<Toy> all(String folder) {
        try (Stream<Path> files =
                Files.list(Path.of(Toy.class.getResource(folder).toURI()))) {
            return files.map(f -> f.getFileName().toString())
                    .filter(f -> f.endsWith(".json"))
                    .sorted()
                    .map(f -> read(folder, f.substring(0, f.length() - ".json".length())))
                    .toList();
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static Toy read(String name) {
        return read(FOLDER, name);
    }

    private static Toy read(String folder, String name) {
        try (InputStream in = Toy.class.getResourceAsStream(folder + "/" + name + ".json")) {
            return new Toy(name, (JsonObject) Json.parse(in.readAllBytes()));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    JsonObject config() {
        return json.object("config").orElseThrow();
    }

    String modelType() {
        return config().string("model_type").orElseThrow();
    }

    /** Writes the checkpoint; the golden holds only the first logits of each row. */
    Golden write(Path folder) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        json.object("tensors").orElseThrow().members().forEach((tensor, rule) -> declare(writer, tensor, rule));
        Files.createDirectories(folder);
        writer.write(folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("config.json"), config().toString());
        return new Golden(
                folder,
                Golden.ints(json.array("prompt").orElseThrow()),
                Golden.ints(json.array("greedy").orElseThrow()),
                json.array("logits").orElseThrow().items().stream()
                        .map(row -> Golden.floats((skulk.api.json.JsonArray) row))
                        .toArray(float[][]::new),
                Golden.steady(json));
    }

    private static void declare(SafetensorsWriter writer, String tensor, Json rule) {
        String[] parts = ((JsonString) rule).value().split(" ");
        List<Long> shape = Arrays.stream(parts[1].split("x")).map(Long::valueOf).toList();
        DType dtype = DType.valueOf(parts[0]);
        writer.add(tensor, dtype, shape, out -> fill(out, new Bits(tensor), dtype, parts));
    }

    private static void fill(ByteBuffer out, Bits bits, DType dtype, String[] rule) {
        while (out.hasRemaining()) {
            long next = bits.next();
            switch (dtype) {
                case F32 -> out.putFloat(spread(next, rule));
                case BF16 -> {
                    int wide = Float.floatToRawIntBits(spread(next, rule));
                    out.putShort((short) (wide + 0x7fff + (wide >> 16 & 1) >> 16)); // to nearest, ties to even
                }
                case U32 -> out.putInt((int) (next >>> 32));
                default -> out.put((byte) (Integer.parseInt(rule[2]) + (next >>> 40) % Integer.parseInt(rule[3])));
            }
        }
    }

    private static float spread(long random, String[] rule) {
        double unit = (double) (random >>> 40) / (1 << 23) - 1;
        return (float) (Double.parseDouble(rule[2]) + Double.parseDouble(rule[3]) * unit);
    }

    private static final class Bits {
        private long state = 0xcbf29ce484222325L;

        Bits(String seed) {
            for (byte b : seed.getBytes(StandardCharsets.UTF_8)) {
                state = (state ^ b & 0xff) * 0x100000001b3L;
            }
        }

        long next() {
            state += 0x9E3779B97F4A7C15L;
            long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
            z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
            return z ^ z >>> 31;
        }
    }
}
