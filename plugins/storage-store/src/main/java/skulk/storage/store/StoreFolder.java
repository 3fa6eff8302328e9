package skulk.storage.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/**
 * One model's directory in the store, as the node's downloads leave it: files under their final names are verified; {@code .skulk.json} is the manifest;
 * {@code <file>.partial} with {@code <file>.partial.blocks} is a file on its way. The journal of blocks has a key of 32 bytes, then 4 bytes for each
 * finished block of 1 MiB.
 *
 * @param path of the directory
 */
record StoreFolder(Path path) {
    static final String MANIFEST = ".skulk.json";
    static final int BLOCK = 1 << 20;
    private static final String PARTIAL = ".partial";
    private static final String BLOCKS = ".partial.blocks";
    private static final int KEY = 32;
    private static final String INDEX = "model.safetensors.index.json";
    private static final int DEPTH = 4;

    static StoreFolder of(Path root, ModelId model) {
        return new StoreFolder(root.resolve(model.directoryName()));
    }

    static List<StoreFolder> under(Path root) throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (Stream<Path> list = Files.list(root)) {
            return list.filter(Files::isDirectory)
                    .map(StoreFolder::new)
                    .filter(f -> f.model().isPresent())
                    .sorted(java.util.Comparator.comparing(StoreFolder::path))
                    .toList();
        }
    }

    Optional<ModelId> model() {
        try {
            String name = path.getFileName().toString();
            return name.startsWith(".") ? Optional.empty() : Optional.of(ModelId.ofDirectory(name));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** What the folder has or is to have: by its manifest, or by what an operator put there if that is a whole checkpoint. */
    Optional<ModelManifest> manifest() throws IOException {
        try {
            return Optional.of(
                    Records.fromJson(Json.parse(Files.readAllBytes(path.resolve(MANIFEST))), ModelManifest.class));
        } catch (NoSuchFileException e) {
            return wholeByNames() ? Optional.of(listed()) : Optional.empty();
        } catch (JsonException | IllegalArgumentException e) {
            throw new IOException("%s is not a manifest: %s".formatted(path.resolve(MANIFEST), e.getMessage()), e);
        }
    }

    private ModelManifest listed() throws IOException {
        List<ModelFile> files = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(path, DEPTH, FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : walk.filter(Files::isRegularFile).sorted().toList()) {
                String name = path.relativize(file).toString().replace('\\', '/');
                if (!hidden(name)) {
                    files.add(new ModelFile(name, Files.size(file), Optional.empty()));
                }
            }
        }
        return new ModelManifest(model().orElseThrow(), "", "store", files);
    }

    /** Whether a name is the store's own or an operator's hidden file: never listed, never served. */
    static boolean hidden(String name) {
        return name.startsWith(".") || name.contains("/.") || name.endsWith(PARTIAL) || name.endsWith(BLOCKS);
    }

    private boolean wholeByNames() throws IOException {
        if (!Files.isDirectory(path)) {
            return false;
        }
        try (Stream<Path> list = Files.list(path)) {
            if (list.anyMatch(f -> f.toString().endsWith(PARTIAL))) {
                return false;
            }
        }
        if (Files.isRegularFile(path.resolve(INDEX))) {
            try {
                return Json.parse(Files.readAllBytes(path.resolve(INDEX))) instanceof JsonObject index
                        && index.object("weight_map").stream()
                                .flatMap(m -> m.members().values().stream())
                                .allMatch(
                                        v -> v instanceof JsonString(String n) && Files.isRegularFile(path.resolve(n)));
            } catch (JsonException e) {
                return false;
            }
        }
        return Files.isRegularFile(path.resolve("mtp.safetensors"))
                || (Files.isRegularFile(path.resolve("config.json"))
                        && Files.isRegularFile(path.resolve("model.safetensors")));
    }

    boolean complete() throws IOException {
        Optional<ModelManifest> manifest = manifest();
        if (manifest.isEmpty()) {
            return false;
        }
        for (ModelFile file : manifest.get().files()) {
            if (!whole(file)) {
                return false;
            }
        }
        return true;
    }

    Instant since() throws IOException {
        Path marker = path.resolve(MANIFEST);
        return Files.getLastModifiedTime(Files.exists(marker) ? marker : path).toInstant();
    }

    /** A file opened for reading, finished or not; empty where nothing of it is there yet. */
    Optional<FileChannel> open(ModelFile file) throws IOException {
        for (Path at :
                List.of(path.resolve(file.path()), path.resolve(file.path() + PARTIAL), path.resolve(file.path()))) {
            try { // the final name is tried twice: the file may get it between the first two tries
                return Optional.of(FileChannel.open(at, StandardOpenOption.READ));
            } catch (NoSuchFileException e) {
                continue;
            }
        }
        return Optional.empty();
    }

    boolean whole(ModelFile file) throws IOException {
        Path at = path.resolve(file.path());
        return Files.isRegularFile(at) && Files.size(at) == file.size();
    }

    /** The SHA-256 of each block of a whole file, 32 bytes each. */
    byte[] digests(ModelFile file) throws IOException {
        ByteBuffer digests = ByteBuffer.allocate(Math.toIntExact(32 * ((file.size() + BLOCK - 1) / BLOCK)));
        try (InputStream in = Files.newInputStream(path.resolve(file.path()))) {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            for (byte[] block = in.readNBytes(BLOCK); block.length > 0; block = in.readNBytes(BLOCK)) {
                digests.put(sha256.digest(block));
            }
            return digests.array();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        } catch (BufferOverflowException e) {
            throw new IOException("%s became longer".formatted(file.path()), e);
        }
    }

    /** The position up to which bytes from an offset on are there without a gap. */
    long available(ModelFile file, long offset) throws IOException {
        if (Files.exists(path.resolve(file.path()))) {
            return file.size();
        }
        BitSet done = new BitSet();
        try {
            ByteBuffer journal = ByteBuffer.wrap(Files.readAllBytes(path.resolve(file.path() + BLOCKS)));
            journal.position(Math.min(KEY, journal.limit()));
            while (journal.remaining() >= 4) {
                int block = journal.getInt();
                if (block >= 0 && (long) block * BLOCK < file.size()) {
                    done.set(block);
                }
            }
        } catch (NoSuchFileException e) {
            return Files.exists(path.resolve(file.path())) ? file.size() : offset;
        }
        int first = (int) (offset / BLOCK);
        return Math.max(offset, Math.min(file.size(), (long) done.nextClearBit(first) * BLOCK));
    }
}
