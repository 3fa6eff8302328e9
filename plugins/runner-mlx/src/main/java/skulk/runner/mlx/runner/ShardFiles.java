package skulk.runner.mlx.runner;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import skulk.api.IncomingModel;
import skulk.api.RankContext.Partial;
import skulk.api.cluster.Shard;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.checkpoint.Safetensors;
import skulk.runner.mlx.model.FileShare;
import skulk.runner.mlx.shard.RankGroup;

/** Which parts of a checkpoint's safetensors files a shard needs: their headers, and what {@link FileShare} finds. */
final class ShardFiles {
    private static final String CONFIG = "config.json";
    private static final String INDEX = "model.safetensors.index.json";
    private static final int LENGTH = 8;

    private ShardFiles() {}

    static List<FilePart> of(Shard shard, IncomingModel files) throws IOException, InterruptedException {
        Set<String> weights = new TreeSet<>();
        Set<String> all = files.manifest().files().stream().map(ModelFile::path).collect(Collectors.toSet());
        all.stream().filter(ShardFiles::isTensors).forEach(weights::add);
        if (shard.whole() || shard.modelCard().embeds() || weights.isEmpty() || !all.contains(CONFIG)) {
            return List.of();
        }
        Path folder = files.require(CONFIG, 0, Long.MAX_VALUE).getParent();
        Set<String> used = all.contains(INDEX) ? indexed(files.require(INDEX, 0, Long.MAX_VALUE)) : weights;
        Map<String, Partial> headers = new HashMap<>();
        for (String name : weights) {
            if (used.contains(name)) {
                headers.put(name, header(files, name));
            }
        }
        Map<Path, List<ByteRange>> asked = find(folder, headers, shard);
        List<FilePart> parts = new ArrayList<>();
        for (String name : weights) {
            List<ByteRange> ranges = new ArrayList<>();
            if (headers.containsKey(name)) {
                Partial header = headers.get(name);
                ranges.addAll(header.present().ranges());
                ranges.addAll(asked.getOrDefault(header.location(), List.of()));
            }
            parts.add(new FilePart(name, ranges));
        }
        return parts;
    }

    private static boolean isTensors(String path) {
        return path.endsWith(".safetensors") && !path.contains("/");
    }

    private static Map<Path, List<ByteRange>> find(Path folder, Map<String, Partial> headers, Shard shard)
            throws IOException {
        try {
            return FileShare.find(folder, headers, RankGroup.part(shard));
        } catch (CheckpointException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static Partial header(IncomingModel files, String name) throws IOException, InterruptedException {
        Path start = files.require(name, 0, LENGTH);
        ByteBuffer length = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel channel = FileChannel.open(start)) {
            channel.read(length, 0);
        }
        long end = LENGTH + length.getLong(0);
        if (length.hasRemaining() || end < LENGTH || end > Safetensors.MAX_HEADER) {
            throw new IOException(
                    "%s is not a safetensors file: its header has %d bytes".formatted(name, end - LENGTH));
        }
        return new Partial(files.require(name, 0, end), new FilePart(name, List.of(new ByteRange(0, end))));
    }

    /** The files that the index names; others of the same kind are not read. */
    private static Set<String> indexed(Path index) throws IOException {
        try {
            if (Json.parse(Files.readAllBytes(index)) instanceof JsonObject object) {
                return object.object("weight_map").stream()
                        .flatMap(map -> map.members().values().stream())
                        .map(v -> v instanceof JsonString(String name) ? name : "")
                        .collect(Collectors.toSet());
            }
            throw new IOException(index + " is not a JSON object");
        } catch (JsonException e) {
            throw new IOException(index + " is not valid JSON: " + e.getMessage(), e);
        }
    }
}
