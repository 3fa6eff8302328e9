package skulk.runner.mlx.checkpoint;

import java.io.IOException;
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
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer head = ByteBuffer.allocate(8 + padded.length).order(ByteOrder.LITTLE_ENDIAN);
            writeAll(channel, head.putLong(padded.length).put(padded).flip());
            for (Entry entry : entries) {
                ByteBuffer data =
                        ByteBuffer.allocate(Math.toIntExact(entry.bytes())).order(ByteOrder.LITTLE_ENDIAN);
                entry.fill.fill(data);
                writeAll(channel, data.clear());
            }
        }
    }

    private static void writeAll(FileChannel channel, ByteBuffer data) throws IOException {
        while (data.hasRemaining()) {
            channel.write(data);
        }
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
