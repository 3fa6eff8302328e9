package skulk.storage.directory;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import skulk.api.StorageBackend;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/**
 * Read-only access to checkpoint folders. A model {@code org/name} is the folder {@code org--name} or {@code org/name} under one of the roots, the first
 * root that has it wins; a folder counts when it holds {@code config.json} and at least one {@code *.safetensors} file.
 */
final class DirectoryBackend implements StorageBackend {
    /** Deep enough for {@code 1_Pooling/config.json}. */
    private static final int DEPTH = 4;

    private final List<Path> roots;
    private final Optional<HubCache> cache;

    /** @param cache asked after the roots */
    DirectoryBackend(List<Path> roots, Optional<HubCache> cache) {
        this.roots = List.copyOf(roots);
        this.cache = cache;
    }

    @Override
    public String name() {
        return "directory";
    }

    List<Path> roots() {
        return roots;
    }

    @Override
    public Optional<ModelManifest> find(ModelId model) throws IOException {
        Optional<Path> folder = local(model);
        if (folder.isEmpty()) {
            return Optional.empty();
        }
        List<ModelFile> files = new ArrayList<>();
        StringBuilder state = new StringBuilder();
        for (Path file : files(folder.get())) {
            String name = folder.get().relativize(file).toString().replace('\\', '/');
            long size = Files.size(file);
            files.add(new ModelFile(name, size, Optional.empty()));
            state.append(name)
                    .append(' ')
                    .append(size)
                    .append(' ')
                    .append(Files.getLastModifiedTime(file).toMillis())
                    .append('\n');
        }
        return Optional.of(new ModelManifest(model, revision(state.toString()), name(), files));
    }

    /** Names the state of a folder without reading its files: changes when a name, size or time does. */
    private static String revision(String state) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(state.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> walk = Files.walk(folder, DEPTH, FileVisitOption.FOLLOW_LINKS)) {
            return walk.filter(f -> !hidden(folder.relativize(f)))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static boolean hidden(Path relative) {
        for (Path part : relative) {
            if (part.toString().startsWith(".")) {
                return true;
            }
        }
        return relative.toString().endsWith(".partial") || relative.toString().endsWith(".partial.blocks");
    }

    @Override
    public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
        Path folder = local(model).orElseThrow(() -> new NoSuchFileException(model + ": no such model in " + roots));
        FileChannel channel = FileChannel.open(folder.resolve(file.path()), StandardOpenOption.READ);
        try {
            if (channel.size() != file.size()) {
                throw new IOException("%s has %d bytes now, %d when it was listed"
                        .formatted(folder.resolve(file.path()), channel.size(), file.size()));
            }
            return channel.position(range.start());
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public Optional<Path> local(ModelId model) {
        return roots.stream()
                .flatMap(root -> Stream.of(root.resolve(model.directoryName()), root.resolve(model.value())))
                .filter(DirectoryBackend::isCheckpoint)
                .findFirst()
                .or(() -> cache.flatMap(c -> c.snapshot(model)).filter(DirectoryBackend::isCheckpoint));
    }

    @Override
    public List<ModelId> models() throws IOException {
        Set<ModelId> found = new LinkedHashSet<>();
        for (Path root : roots) {
            for (Path folder : folders(root)) {
                String name = folder.getFileName().toString();
                if (isCheckpoint(folder)) {
                    id(name).ifPresent(found::add);
                } else {
                    for (Path inner : folders(folder)) {
                        if (isCheckpoint(inner)) {
                            id(name + "/" + inner.getFileName()).ifPresent(found::add);
                        }
                    }
                }
            }
        }
        if (cache.isPresent()) {
            cache.get().models().stream().filter(m -> local(m).isPresent()).forEach(found::add);
        }
        return List.copyOf(found);
    }

    private static Optional<ModelId> id(String name) {
        try {
            return Optional.of(name.contains("/") ? new ModelId(name) : ModelId.ofDirectory(name));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // a folder that nobody could ask for
        }
    }

    private static List<Path> folders(Path root) throws IOException {
        if (!Files.isDirectory(root) || !Files.isReadable(root)) {
            return List.of();
        }
        try (Stream<Path> list = Files.list(root)) {
            return list.filter(Files::isDirectory)
                    .filter(f -> !f.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    private static boolean isCheckpoint(Path folder) {
        if (!Files.isRegularFile(folder.resolve("config.json"))) {
            return false;
        }
        try (Stream<Path> list = Files.list(folder)) {
            return list.anyMatch(f -> f.getFileName().toString().endsWith(".safetensors"));
        } catch (IOException e) {
            return false;
        }
    }
}
