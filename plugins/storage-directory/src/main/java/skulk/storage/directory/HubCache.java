package skulk.storage.directory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ModelId;

/**
 * The folder in which Hugging Face tools keep their downloads: {@code models--<org>--<name>/snapshots/<commit>/} holds the files of a commit as links,
 * {@code refs/main} names the newest commit. Such a folder may be half filled, so one with an index counts only when all its shards are there.
 */
record HubCache(Path root) {
    private static final String PREFIX = "models--";
    private static final String INDEX = "model.safetensors.index.json";

    Optional<Path> snapshot(ModelId model) {
        Path folder = root.resolve(PREFIX + model.directoryName());
        try {
            String commit = Files.readString(folder.resolve("refs/main")).strip();
            Path snapshot = folder.resolve("snapshots").resolve(commit);
            return commit.matches("[0-9a-f]{7,64}") && whole(snapshot) ? Optional.of(snapshot) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // not there, or not in this layout
        }
    }

    private static boolean whole(Path snapshot) throws IOException {
        Path index = snapshot.resolve(INDEX);
        if (!Files.isRegularFile(index)) {
            return Files.isRegularFile(snapshot.resolve("model.safetensors"));
        }
        try {
            return Json.parse(Files.readAllBytes(index)) instanceof JsonObject object
                    && object.object("weight_map").stream()
                            .flatMap(map -> map.members().values().stream())
                            .distinct()
                            .allMatch(v -> v instanceof JsonString(String name)
                                    && Files.isRegularFile(snapshot.resolve(name)));
        } catch (JsonException e) {
            return false;
        }
    }

    List<ModelId> models() throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (Stream<Path> list = Files.list(root)) {
            return list.map(f -> f.getFileName().toString())
                    .filter(name -> name.startsWith(PREFIX))
                    .sorted()
                    .flatMap(name -> id(name.substring(PREFIX.length())).stream())
                    .toList();
        }
    }

    private static Optional<ModelId> id(String name) {
        try {
            return Optional.of(ModelId.ofDirectory(name));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
