package skulk.storage.embedded;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.StorageBackend;
import skulk.api.json.Json;
import skulk.api.json.Records;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/**
 * The embedded model as a source. Engines map files, so {@link #local} unpacks the plugin's resources into a real folder, once: every file is checked
 * against its digest, the finished folder appears by one rename, and a folder that no longer fits the digests is unpacked anew.
 */
final class EmbeddedBackend implements StorageBackend {
    private static final String RESOURCES = "skulk--tiny-chat-4bit/";

    private final Path work;
    private final ModelManifest manifest;
    private Optional<Path> unpacked = Optional.empty();

    /** @param work where the model is unpacked, on first use */
    EmbeddedBackend(Path work) {
        this.work = work;
        try (InputStream in = resource("manifest.json")) {
            this.manifest = Records.fromJson(Json.parse(in.readAllBytes()), ModelManifest.class);
        } catch (IOException e) {
            throw new IllegalStateException("the plugin's jar is damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public String name() {
        return "embedded";
    }

    @Override
    public Optional<ModelManifest> find(ModelId model) {
        return model.equals(manifest.model()) ? Optional.of(manifest) : Optional.empty();
    }

    @Override
    public List<ModelId> models() {
        return List.of(manifest.model());
    }

    @Override
    public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
        if (!model.equals(manifest.model()) || !manifest.files().contains(file)) {
            throw new NoSuchFileException(model + "/" + file.path());
        }
        InputStream in = resource(file.path());
        try {
            in.skipNBytes(range.start());
            return Channels.newChannel(in);
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    @Override
    public synchronized Optional<Path> local(ModelId model) throws IOException {
        if (!model.equals(manifest.model())) {
            return Optional.empty();
        }
        if (unpacked.isEmpty()) {
            Path folder = work.resolve(manifest.model().directoryName());
            if (!intact(folder)) {
                unpack(folder);
            }
            unpacked = Optional.of(folder);
        }
        return unpacked;
    }

    private boolean intact(Path folder) throws IOException {
        for (ModelFile file : manifest.files()) {
            Path path = folder.resolve(file.path());
            if (!Files.isRegularFile(path) || !file.sha256().equals(Optional.of(sha256(Files.readAllBytes(path))))) {
                return false;
            }
        }
        return true;
    }

    private void unpack(Path folder) throws IOException {
        Files.createDirectories(work);
        Path fresh = Files.createTempDirectory(work, ".unpacking-");
        try {
            for (ModelFile file : manifest.files()) {
                try (InputStream in = resource(file.path())) {
                    byte[] bytes = in.readAllBytes();
                    if (!file.sha256().equals(Optional.of(sha256(bytes)))) {
                        throw new IOException(
                                "the plugin's jar is damaged: %s has the wrong digest".formatted(file.path()));
                    }
                    Files.write(fresh.resolve(file.path()), bytes);
                }
            }
            delete(folder);
            Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
            if (!intact(folder)) { // another process was faster, which is fine unless it left something else
                throw e;
            }
        } finally {
            delete(fresh);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private static InputStream resource(String name) throws IOException {
        InputStream in = EmbeddedBackend.class.getResourceAsStream(RESOURCES + name);
        if (in == null) {
            throw new NoSuchFileException(RESOURCES + name);
        }
        return in;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
