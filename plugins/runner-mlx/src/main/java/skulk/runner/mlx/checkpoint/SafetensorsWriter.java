package skulk.runner.mlx.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import skulk.api.json.JsonObject;

/** Writes a safetensors file: declare all tensors, then their bytes are asked for one after the other. */
public final class SafetensorsWriter {
    private final List<Entry> entries = new ArrayList<>();

    /** Declares a tensor; {@code fill} is called with a little-endian buffer of exactly its size. */
    public void add(String name, DType dtype, List<Long> shape, Fill fill) {
        entries.add(new Entry(name, dtype, List.copyOf(shape), fill));
    }

    /** Writes the file, replacing one that exists. */
    public void write(Path file) throws IOException {
        JsonObject.Builder header = JsonObject.builder();
        long at = 0;
        for (Entry entry : entries) {
            header.put(
                    entry.name,
                    JsonObject.builder()
                            .put("dtype", entry.dtype.name())
                            .put("shape", entry.shape)
                            .put("data_offsets", List.of(at, at + entry.bytes()))
                            .build());
            at += entry.bytes();
        }
        String text = header.build().toString();
        byte[] padded = (text + " ".repeat((8 - text.length() % 8) % 8)).getBytes(StandardCharsets.UTF_8);
        try (FileChannel channel = FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            at = 0;
            at += put(
                    channel,
                    at,
                    8 + padded.length,
                    out -> out.putLong(padded.length).put(padded));
            for (Entry entry : entries) {
                at += put(channel, at, entry.bytes(), entry.fill);
            }
        }
    }

    /** Through a mapping: a tensor can be larger than what the heap should grow to. */
    private static long put(FileChannel channel, long at, long bytes, Fill fill) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment part = channel.map(FileChannel.MapMode.READ_WRITE, at, bytes, arena);
            fill.fill(part.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
        }
        return bytes;
    }

    /** Puts a tensor's values into a buffer of its size. */
    @FunctionalInterface
    public interface Fill {
        void fill(ByteBuffer out);
    }

    private record Entry(String name, DType dtype, List<Long> shape, Fill fill) {
        long bytes() {
            return shape.stream().reduce((long) dtype.bytes(), Math::multiplyExact);
        }
    }
}
