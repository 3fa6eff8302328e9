package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import skulk.api.RankContext.Partial;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/**
 * One model's directory {@code org--name} under a root, as it lies on disk.
 *
 * <p>A file that has its final name was verified before it got that name. {@code .skulk.json} is the manifest of what the folder is to hold;
 * {@code <file>.partial} and {@code <file>.partial.blocks} are a transfer in progress; the modification time of {@code .last_used} is the last use.
 *
 * @param path of the directory
 */
record ModelFolder(Path path) {
    static final String MANIFEST = ".skulk.json";
    static final String LAST_USED = ".last_used";
    static final String PARTIAL = ".partial";
    static final String BLOCKS = ".partial.blocks";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String TRASH = ".trash-";

    static ModelFolder of(Path root, ModelId model) {
        return new ModelFolder(root.resolve(model.directoryName()));
    }

    Path file(ModelFile file) {
        return path.resolve(file.path());
    }

    Path partial(ModelFile file) {
        return path.resolve(file.path() + PARTIAL);
    }

    Path blocks(ModelFile file) {
        return path.resolve(file.path() + BLOCKS);
    }

    boolean exists() {
        return Files.isDirectory(path);
    }

    /** What the folder is to hold; empty where nothing, or nothing readable, says so. */
    Optional<ModelManifest> manifest() {
        try {
            return Optional.of(
                    Records.fromJson(Json.parse(Files.readAllBytes(path.resolve(MANIFEST))), ModelManifest.class));
        } catch (IOException | JsonException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    void write(ModelManifest manifest) throws IOException {
        WholeFile.write(path.resolve(MANIFEST), ((JsonObject) Records.toJson(manifest)).toPrettyString());
    }

    /** Of what is wanted, the files that are here in part. */
    Map<String, Partial> partial(Wanted wanted) {
        Map<String, Partial> partial = new HashMap<>();
        for (ModelFile file : wanted.manifest().files()) {
            if (!holds(file) && !wanted.blocks(file).isEmpty()) {
                List<ByteRange> present =
                        BlockJournal.ranges(BlockJournal.read(blocks(file), file.size()), file.size());
                partial.put(file.path(), new Partial(partial(file), new FilePart(file.path(), present)));
            }
        }
        return partial;
    }

    /** Whether every file is there: those of the manifest, or by the contract's rule where an operator copied the folder in. */
    boolean complete() {
        if (!exists()) {
            return false;
        }
        return manifest().map(m -> m.files().stream().allMatch(this::holds)).orElseGet(this::completeByNames);
    }

    /** Whether the file is there, by name and size. */
    boolean holds(ModelFile file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file(file), BasicFileAttributes.class);
            return attributes.isRegularFile() && attributes.size() == file.size();
        } catch (IOException e) {
            return false;
        }
    }

    private boolean completeByNames() {
        try (Stream<Path> list = Files.list(path)) {
            if (list.anyMatch(f -> f.toString().endsWith(PARTIAL))) {
                return false;
            }
            if (has(INDEX)) {
                return Json.parse(Files.readAllBytes(path.resolve(INDEX))) instanceof JsonObject index
                        && index.object("weight_map").stream()
                                .flatMap(map -> map.members().values().stream())
                                .allMatch(v -> v instanceof JsonString(String name) && has(name));
            }
            return (has("config.json") && has("model.safetensors")) || has("mtp.safetensors");
        } catch (IOException | JsonException e) {
            return false;
        }
    }

    private boolean has(String name) {
        return Files.isRegularFile(path.resolve(name));
    }

    /** Bytes on disk, partial files included. */
    long size() {
        long[] sum = {0};
        try {
            Files.walkFileTree(path, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    sum[0] += onDisk(file, attributes.size());
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    return FileVisitResult.CONTINUE; // went away while we looked
                }
            });
        } catch (IOException e) {
            return sum[0];
        }
        return sum[0];
    }

    /** A partial file has its full length from the start, but takes room for the blocks that are there only. */
    private static long onDisk(Path file, long size) {
        return file.toString().endsWith(PARTIAL)
                ? BlockJournal.bytes(BlockJournal.read(Path.of(file + BLOCKS.substring(PARTIAL.length())), size), size)
                : size;
    }

    /** When the model was used last: by {@code .last_used}, else by the directory itself. */
    Instant lastUsed() {
        for (Path marker : new Path[] {path.resolve(LAST_USED), path}) {
            try {
                return Files.getLastModifiedTime(marker).toInstant();
            } catch (IOException e) {
                continue;
            }
        }
        return Instant.EPOCH;
    }

    /** Notes a use. */
    void touch(Instant now) throws IOException {
        Path marker = path.resolve(LAST_USED);
        if (!Files.exists(marker)) {
            Files.write(marker, new byte[0]);
        }
        Files.setLastModifiedTime(marker, FileTime.from(now));
    }

    /** Takes the folder out of sight at once and answers where it went; what is left to do is deleting that. */
    Path moveToTrash() throws IOException {
        Path trash = path.resolveSibling(TRASH + UUID.randomUUID());
        return Files.move(path, trash, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Deletes a tree; symbolic links are removed, not followed. */
    static void delete(Path tree) throws IOException {
        try {
            Files.walkFileTree(tree, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
                    Files.deleteIfExists(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (NoSuchFileException e) {
            return; // somebody was faster
        }
    }

    /**
     * The model folders under a root, by name. Only what is named {@code org--name} or has a manifest counts, so that eviction never touches what
     * somebody else keeps beside.
     */
    static Stream<ModelFolder> under(Path root) throws IOException {
        if (!Files.isDirectory(root)) {
            return Stream.empty();
        }
        try (Stream<Path> list = Files.list(root)) {
            return list
                    .filter(p -> Files.isDirectory(p, java.nio.file.LinkOption.NOFOLLOW_LINKS))
                    .filter(p -> !p.getFileName().toString().startsWith("."))
                    .map(ModelFolder::new)
                    .filter(f -> f.model().isPresent())
                    .filter(f -> f.path().getFileName().toString().contains("--") || f.has(MANIFEST))
                    .sorted(java.util.Comparator.comparing(ModelFolder::path))
                    .toList()
                    .stream();
        }
    }

    /** Removes what an interrupted deletion left. */
    static void emptyTrash(Path root) throws IOException {
        if (!Files.isDirectory(root)) {
            return;
        }
        try (Stream<Path> list = Files.list(root)) {
            for (Path trash : list.filter(p -> p.getFileName().toString().startsWith(TRASH))
                    .toList()) {
                delete(trash);
            }
        }
    }

    /** The model that the directory's name stands for. */
    Optional<ModelId> model() {
        try {
            return Optional.of(ModelId.ofDirectory(path.getFileName().toString()));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Names that a manifest may not use, because the folder uses them itself. */
    static boolean reserved(String path) {
        return Set.of(MANIFEST, LAST_USED, MANIFEST + WholeFile.NEXT, ShardNotes.FILE, ShardNotes.FILE + WholeFile.NEXT)
                        .contains(path)
                || path.endsWith(PARTIAL)
                || path.endsWith(BLOCKS);
    }
}
