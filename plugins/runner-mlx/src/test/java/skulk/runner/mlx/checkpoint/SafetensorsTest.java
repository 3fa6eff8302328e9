package skulk.runner.mlx.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hostile and damaged files get an error that names file and tensor, never a crash. */
class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void readsWhatItWrites() throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        writer.add("a", DType.F32, List.of(2L, 3L), out -> {
            for (int i = 0; i < 6; i++) {
                out.putFloat(i);
            }
        });
        writer.add("b", DType.BF16, List.of(1L), out -> out.putShort((short) 0x3f80));
        writer.add("c", DType.F16, List.of(1L), out -> out.putShort((short) 0x3c00));
        Path file = folder.resolve("x.safetensors");
        writer.write(file);
        try (Arena arena = Arena.ofConfined()) {
            Map<String, Tensor> tensors = Safetensors.map(file, arena);
            assertEquals(List.of("a", "b", "c"), List.copyOf(tensors.keySet()));
            assertEquals(5, tensors.get("a").get(5));
            assertEquals(1, tensors.get("b").get(0));
            assertEquals(1, tensors.get("c").get(0));
            assertEquals(4, tensors.get("a").entry(1).get(1));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}                | 4  | tensor t: truncated
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}                | 12 | 4 bytes after
            {"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}                | 8  | takes 12 bytes, not 8
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}                | 8  | not a range
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[0]}}                  | 8  | not a range
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8.5]}}              | 8  | not a size
            {"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}               | 8  | not a size
            {"t":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}} | 8 | absurd
            {"t":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}} | 8 | dimensions
            {"t":{"dtype":"Q4_K","shape":[2],"data_offsets":[0,8]}}               | 8  | dtype Q4_K
            {"t":{"shape":[2],"data_offsets":[0,8]}}                              | 8  | dtype is missing
            {"t":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}                    | 8  | dtype
            {"t":{"dtype":"F32","data_offsets":[0,8]}}                            | 8  | shape is missing
            {"t":{"dtype":"F32","shape":[2]}}                                     | 8  | data_offsets is missing
            {"t":[]}                                                              | 8  | not an object
            {"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"u":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}} | 6 | overlaps
            {"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"u":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}} | 10 | hole
            {"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"t":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}} | 8 | duplicate
            [1,2]                                                                 | 8  | not a JSON object
            {"t":                                                                 | 8  | not valid JSON
            """)
    void refusesLyingHeaders(String header, int bytes, String message) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        refuses(file(text.length, text, bytes), message);
    }

    @Test
    void refusesHeadersThatDoNotFit() throws IOException {
        refuses(file(1000, new byte[10], 0), "truncated");
        refuses(file(Long.MAX_VALUE, new byte[10], 0), "at most");
        refuses(file(-1, new byte[10], 0), "at most");
        refuses(file(0, new byte[10], 0), "at most");
        refuses(file(10, new byte[] {(byte) 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 0), "not valid JSON");
        Path tiny = folder.resolve("tiny");
        Files.write(tiny, new byte[5]);
        refuses(tiny, "too few");
        refuses(folder.resolve("absent"), "no such file");
    }

    @Test
    void survivesRandomDamage() throws IOException {
        byte[] header =
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}".getBytes(StandardCharsets.UTF_8);
        byte[] good = Files.readAllBytes(file(header.length, header, 8));
        Random random = new Random(1);
        Path file = folder.resolve("damaged");
        for (int i = 0; i < 500; i++) {
            byte[] bad = good.clone();
            for (int j = 0; j <= i % 3; j++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            }
            Files.write(
                    file,
                    java.util.Arrays.copyOf(bad, random.nextInt(4) == 0 ? random.nextInt(bad.length) : bad.length));
            try (Arena arena = Arena.ofConfined()) {
                Safetensors.map(file, arena)
                        .values()
                        .forEach(t -> t.data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
            } catch (CheckpointException expected) {
                assertTrue(expected.getMessage().contains("damaged"), expected.getMessage());
            }
        }
    }

    private Path file(long length, byte[] header, int bytes) throws IOException {
        Path file = folder.resolve("bad.safetensors");
        ByteBuffer data = ByteBuffer.allocate(8 + header.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(file, data.putLong(length).put(header).array());
        return file;
    }

    private static void refuses(Path file, String message) {
        try (Arena arena = Arena.ofConfined()) {
            CheckpointException e = assertThrows(CheckpointException.class, () -> Safetensors.map(file, arena));
            assertTrue(e.getMessage().contains(message), e.getMessage());
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        }
    }
}
