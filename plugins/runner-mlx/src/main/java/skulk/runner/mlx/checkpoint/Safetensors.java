package skulk.runner.mlx.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

/**
 * Reads one safetensors file by mapping it: an 8-byte little-endian header length, a JSON header, then the data.
 *
 * <p>Nothing in the header is believed: every size is computed exactly and compared with the file, tensors must tile
 * the data area without gaps or overlaps (as the format demands), and nothing is allocated but what the header's own
 * text takes.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public final class Safetensors {
    /** The limit of the reference implementation. */
    public static final long MAX_HEADER = 100_000_000;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAX_DIMENSIONS = 8;

    private Safetensors() {}

    /**
     * Maps a file and lists its tensors by name, in the order of the header.
     *
     * @param arena bounds the life of the mapping
     * @throws CheckpointException if the file is not whole and well-formed
     */
    public static Map<String, Tensor> map(Path file, Arena arena) {
        MemorySegment all = mapFile(file, arena);
        JsonObject header = header(file, all);
        long start = 8 + all.get(LONG, 0);
        MemorySegment data = all.asSlice(start);
        List<Range> ranges = new ArrayList<>();
        Map<String, Tensor> tensors =
                LinkedHashMap.newLinkedHashMap(header.members().size());
        header.members().forEach((name, value) -> {
            if (!name.equals("__metadata__")) {
                Tensor tensor = tensor(file, name, value, new Data(data, start), ranges);
                tensors.put(name, tensor);
            }
        });
        checkTiling(file, ranges, data.byteSize());
        return tensors;
    }

    private static MemorySegment mapFile(Path file, Arena arena) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size < 8) {
                throw new CheckpointException(file + ": " + size + " bytes are too few for a safetensors file");
            }
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
        } catch (java.nio.file.NoSuchFileException e) {
            throw new CheckpointException(file + ": no such file", e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static JsonObject header(Path file, MemorySegment all) {
        long length = all.get(LONG, 0);
        if (length < 2 || length > MAX_HEADER) {
            throw new CheckpointException(
                    file + ": header of " + Long.toUnsignedString(length) + " bytes; at most " + MAX_HEADER);
        }
        if (length > all.byteSize() - 8) {
            throw new CheckpointException(
                    file + ": truncated: header of " + length + " bytes in a file of " + all.byteSize());
        }
        try {
            byte[] text = all.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
            if (Json.parse(text) instanceof JsonObject object) {
                return object;
            }
            throw new CheckpointException(file + ": header is not a JSON object");
        } catch (JsonException e) {
            throw new CheckpointException(file + ": header is not valid JSON: " + e.getMessage(), e);
        }
    }

    private static Tensor tensor(Path file, String name, Json value, Data data, List<Range> ranges) {
        String where = file + ": tensor " + name + ": ";
        if (!(value instanceof JsonObject fields)) {
            throw new CheckpointException(where + "header entry is not an object");
        }
        try {
            String typeName = fields.string("dtype").orElseThrow(() -> missing(where, "dtype"));
            DType dtype = DType.of(typeName)
                    .orElseThrow(() -> new CheckpointException(where + "dtype " + typeName + " is not known"));
            List<Long> shape = longs(where, "shape", fields);
            List<Long> offsets = longs(where, "data_offsets", fields);
            if (offsets.size() != 2 || offsets.get(1) < offsets.get(0)) {
                throw new CheckpointException(where + "data_offsets " + offsets + " are not a range");
            }
            long from = offsets.get(0);
            long to = offsets.get(1);
            if (to > data.bytes.byteSize()) {
                throw new CheckpointException(where + "truncated: ends at byte " + to + " of " + data.bytes.byteSize());
            }
            long bytes = exactBytes(where, shape, dtype);
            if (bytes != to - from) {
                throw new CheckpointException(
                        where + dtype + " of shape " + shape + " takes " + bytes + " bytes, not " + (to - from));
            }
            ranges.add(new Range(name, from, to));
            return new Tensor(name, dtype, shape, data.bytes.asSlice(from, bytes), file, data.start + from);
        } catch (JsonException e) {
            throw new CheckpointException(where + e.getMessage(), e);
        }
    }

    private static long exactBytes(String where, List<Long> shape, DType dtype) {
        if (shape.size() > MAX_DIMENSIONS) {
            throw new CheckpointException(where + shape.size() + " dimensions; at most " + MAX_DIMENSIONS);
        }
        try {
            long bytes = dtype.bytes();
            for (long size : shape) {
                bytes = Math.multiplyExact(bytes, size);
            }
            return bytes;
        } catch (ArithmeticException e) {
            throw new CheckpointException(where + "shape " + shape + " is absurd", e);
        }
    }

    private static List<Long> longs(String where, String field, JsonObject fields) {
        JsonArray array = fields.array(field).orElseThrow(() -> missing(where, field));
        List<Long> out = new ArrayList<>(array.items().size());
        for (Json item : array.items()) {
            if (!(item instanceof JsonNumber number) || !number.isLong() || number.toLong() < 0) {
                throw new CheckpointException(where + field + " holds " + item + ", not a size");
            }
            out.add(number.toLong());
        }
        return out;
    }

    private static CheckpointException missing(String where, String field) {
        return new CheckpointException(where + field + " is missing");
    }

    private static void checkTiling(Path file, List<Range> ranges, long size) {
        ranges.sort(Comparator.comparingLong(Range::from).thenComparingLong(Range::to));
        long end = 0;
        for (Range range : ranges) {
            if (range.from != end) {
                throw new CheckpointException(file + ": tensor " + range.name
                        + (range.from < end ? " overlaps the one before it" : " leaves a hole before it")
                        + ": starts at byte " + range.from + ", expected " + end);
            }
            end = range.to;
        }
        if (end != size) {
            throw new CheckpointException(file + ": " + (size - end) + " bytes after the last tensor");
        }
    }

    /** @param start of the data area in the file */
    private record Data(MemorySegment bytes, long start) {}

    private record Range(String name, long from, long to) {}
}
