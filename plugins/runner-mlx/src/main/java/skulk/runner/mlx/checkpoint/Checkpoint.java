package skulk.runner.mlx.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

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
    private final Arena arena;

    private Checkpoint(Path folder, JsonObject config, Map<String, Tensor> tensors, Arena arena) {
        this.folder = folder;
        this.config = config;
        this.tensors = tensors;
        this.arena = arena;
    }

    /**
     * Opens a folder with {@code config.json} and one or several safetensors files, listed by an index if there is one.
     *
     * @throws CheckpointException naming the file that is missing or malformed
     */
    public static Checkpoint open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(folder + ": no such folder");
        }
        JsonObject config = json(folder.resolve("config.json"));
        Arena arena = Arena.ofShared();
        try {
            Path index = folder.resolve(INDEX);
            Map<String, Tensor> tensors = Files.exists(index) ? indexed(folder, index, arena) : listed(folder, arena);
            return new Checkpoint(folder, config, tensors, arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static Map<String, Tensor> indexed(Path folder, Path index, Arena arena) {
        JsonObject map = json(index)
                .object("weight_map")
                .orElseThrow(() -> new CheckpointException(index + ": weight_map is missing"));
        Map<String, Map<String, Tensor>> files = new LinkedHashMap<>();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        map.members().forEach((name, value) -> {
            if (!(value instanceof JsonString(String file)) || !isPlainName(file)) {
                throw new CheckpointException(index + ": weight_map." + name + " is not a file name: " + value);
            }
            Tensor tensor = files.computeIfAbsent(file, f -> Safetensors.map(folder.resolve(f), arena))
                    .get(name);
            if (tensor == null) {
                throw new CheckpointException(folder.resolve(file) + ": tensor " + name + " is missing");
            }
            tensors.put(name, tensor);
        });
        return tensors;
    }

    private static boolean isPlainName(String file) {
        return !file.isEmpty() && !file.contains("/") && !file.contains("\\") && !file.equals("..");
    }

    private static Map<String, Tensor> listed(Path folder, Arena arena) {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> list = Files.list(folder)) {
            list.filter(f -> f.getFileName().toString().endsWith(".safetensors"))
                    .sorted()
                    .forEach(files::add);
        } catch (IOException e) {
            throw new CheckpointException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        if (files.isEmpty()) {
            throw new CheckpointException(folder + ": no *.safetensors file");
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Path file : files) {
            Safetensors.map(file, arena).forEach((name, tensor) -> {
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

    /** Names of all tensors, sorted. */
    public List<String> names() {
        return List.copyOf(new TreeSet<>(tensors.keySet()));
    }

    @Override
    public void close() {
        arena.close();
    }
}
