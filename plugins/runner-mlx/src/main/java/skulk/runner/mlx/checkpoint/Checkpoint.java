package skulk.runner.mlx.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import skulk.api.RankContext.Partial;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.FilePart;

/**
 * A checkpoint folder opened for reading: its configuration and its mapped tensors. Immutable; tensors may be read from
 * any thread until {@link #close}.
 */
public final class Checkpoint implements AutoCloseable {
    private static final String INDEX = "model.safetensors.index.json";
    private static final long MAX_JSON = 200_000_000;

    private final Path folder;
    private final JsonObject config;
    private final Map<String, Tensor> tensors;
    private final Map<Path, FilePart> partial;
    private final Arena arena;

    private Checkpoint(Folder files, JsonObject config, Map<String, Tensor> tensors, Arena arena) {
        this.folder = files.path;
        this.config = config;
        this.tensors = tensors;
        this.partial = new HashMap<>();
        files.partial.values().forEach(p -> this.partial.put(p.location(), p.present()));
        this.arena = arena;
    }

    /** A folder and the files of it that lie elsewhere, in part. */
    private record Folder(Path path, Map<String, Partial> partial) {
        /** A file that has become whole since lies under its own name. */
        Path file(String name) {
            return partial.containsKey(name) && !Files.exists(path.resolve(name))
                    ? partial.get(name).location()
                    : path.resolve(name);
        }

        /** Names of all safetensors files, sorted. */
        Set<String> tensors() {
            Set<String> names = new TreeSet<>();
            try (Stream<Path> list = Files.list(path)) {
                list.map(f -> f.getFileName().toString()).forEach(names::add);
            } catch (IOException e) {
                throw new CheckpointException(path + ": cannot be listed: " + e.getMessage(), e);
            }
            names.addAll(partial.keySet());
            names.removeIf(name -> !name.endsWith(".safetensors") || !isPlainName(name));
            return names;
        }
    }

    /**
     * Opens a folder with {@code config.json} and one or several safetensors files, listed by an index if there is one.
     *
     * @throws CheckpointException naming the file that is missing or malformed
     */
    public static Checkpoint open(Path folder) {
        return open(folder, Map.of());
    }

    /**
     * Opens a folder of which some files are here in part only, see {@link #demand}.
     *
     * @param partial these files, by name
     */
    public static Checkpoint open(Path folder, Map<String, Partial> partial) {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(folder + ": no such folder");
        }
        Folder files = new Folder(folder, partial);
        JsonObject config = json(files.file("config.json"));
        Arena arena = Arena.ofShared();
        try {
            boolean index = Files.exists(files.file(INDEX));
            return new Checkpoint(files, config, index ? indexed(files, arena) : listed(files, arena), arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static Map<String, Tensor> indexed(Folder folder, Arena arena) {
        Path index = folder.file(INDEX);
        JsonObject map = json(index)
                .object("weight_map")
                .orElseThrow(() -> new CheckpointException(index + ": weight_map is missing"));
        Map<String, Map<String, Tensor>> files = new LinkedHashMap<>();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        map.members().forEach((name, value) -> {
            if (!(value instanceof JsonString(String file)) || !isPlainName(file)) {
                throw new CheckpointException(index + ": weight_map." + name + " is not a file name: " + value);
            }
            Tensor tensor = files.computeIfAbsent(file, f -> Safetensors.map(folder.file(f), arena))
                    .get(name);
            if (tensor == null) {
                throw new CheckpointException(folder.file(file) + ": tensor " + name + " is missing");
            }
            tensors.put(name, tensor);
        });
        return tensors;
    }

    private static boolean isPlainName(String file) {
        return !file.isEmpty() && !file.contains("/") && !file.contains("\\") && !file.equals("..");
    }

    private static Map<String, Tensor> listed(Folder folder, Arena arena) {
        Set<String> files = folder.tensors();
        if (files.isEmpty()) {
            throw new CheckpointException(folder.path + ": no *.safetensors file");
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String file : files) {
            Safetensors.map(folder.file(file), arena).forEach((name, tensor) -> {
                if (tensors.put(name, tensor) != null) {
                    throw tensor.wrong("is also in another file of the folder");
                }
            });
        }
        return tensors;
    }

    private static JsonObject json(Path file) {
        try {
            if (Files.size(file) > MAX_JSON) {
                throw new CheckpointException(file + ": larger than " + MAX_JSON + " bytes");
            }
            if (Json.parse(Files.readAllBytes(file)) instanceof JsonObject object) {
                return object;
            }
            throw new CheckpointException(file + ": not a JSON object");
        } catch (java.nio.file.NoSuchFileException e) {
            throw new CheckpointException(file + ": no such file", e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        } catch (JsonException e) {
            throw new CheckpointException(file + ": not valid JSON: " + e.getMessage(), e);
        }
    }

    /** The folder as given. */
    public Path folder() {
        return folder;
    }

    /** {@code config.json}. */
    public JsonObject config() {
        return config;
    }

    /** The tensor of that name, if the checkpoint has it. */
    public Optional<Tensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    /** The tensor of that name. */
    public Tensor get(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException(folder + ": tensor " + name + " is missing");
        }
        return tensor;
    }

    /**
     * To be called before bytes of a tensor are read: what is missing of a file reads as zeros, and nobody may take these for weights.
     *
     * @param from first byte of the tensor
     * @param to the byte after the last
     * @throws CheckpointException where some are not on this machine
     */
    public void demand(Tensor tensor, long from, long to) {
        FilePart part = partial.get(tensor.file());
        if (part != null && !part.covers(tensor.offset() + from, tensor.offset() + to)) {
            throw tensor.wrong(
                    "is needed, but bytes %d to %d of the file are not on this machine: it has this rank's share only"
                            .formatted(tensor.offset() + from, tensor.offset() + to));
        }
    }

    /** Names of all tensors, sorted. */
    public List<String> names() {
        return List.copyOf(new TreeSet<>(tensors.keySet()));
    }

    @Override
    public void close() {
        arena.close();
    }
}
