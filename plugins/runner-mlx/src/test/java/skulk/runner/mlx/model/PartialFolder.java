package skulk.runner.mlx.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import skulk.api.RankContext.Partial;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;

/**
 * A checkpoint of which a rank's share is here: the share as {@link FileShare} finds it from headers alone, and garbage in the place of the rest, so that a
 * byte that is read beyond it spoils the result.
 */
record PartialFolder(Path folder, Map<String, Partial> files) {
    static PartialFolder of(Path whole, Path folder, LoadOptions.Shard shard) throws IOException {
        Files.createDirectories(folder);
        Map<String, byte[]> weights = new TreeMap<>();
        try (Stream<Path> list = Files.list(whole)) {
            for (Path file : list.toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".safetensors")) {
                    weights.put(name, Files.readAllBytes(file));
                } else if (name.equals("config.json") || name.endsWith(".index.json")) {
                    Files.copy(file, folder.resolve(name));
                }
            }
        }
        Map<String, Partial> headers = new HashMap<>();
        for (var file : weights.entrySet()) {
            long header = 8
                    + ByteBuffer.wrap(file.getValue())
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong(0);
            headers.put(
                    file.getKey(),
                    write(folder, file.getKey(), file.getValue(), List.of(new ByteRange(0, header)), (byte) 0));
        }
        Map<Path, List<ByteRange>> found = FileShare.find(folder, headers, shard);
        Map<String, Partial> files = new HashMap<>();
        for (var file : weights.entrySet()) {
            Partial header = headers.get(file.getKey());
            List<ByteRange> ranges = new ArrayList<>(header.present().ranges());
            ranges.addAll(Optional.ofNullable(found.get(header.location())).orElse(List.of()));
            files.put(file.getKey(), write(folder, file.getKey(), file.getValue(), ranges, (byte) 0xff));
        }
        return new PartialFolder(folder, files);
    }

    private static Partial write(Path folder, String name, byte[] whole, List<ByteRange> ranges, byte rest)
            throws IOException {
        byte[] bytes = new byte[whole.length];
        Arrays.fill(bytes, rest);
        FilePart part = new FilePart(name, ranges);
        part.ranges().forEach(r -> System.arraycopy(whole, (int) r.start(), bytes, (int) r.start(), (int) r.size()));
        return new Partial(Files.write(folder.resolve(name + ".partial"), bytes), part);
    }

    /** Bytes that are here. */
    long bytes() {
        return files.values().stream().mapToLong(f -> f.present().bytes()).sum();
    }
}
