package skulk.kernel.storage;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/**
 * A model in one file, for machines without a network: an uncompressed tape archive whose first entry, {@code skulk-bundle.json}, lists the files with their
 * sizes and SHA-256 digests, and whose other entries are these files, {@code model-card.toml} among them. Both directions stream; every byte that is written
 * is checked against its digest before it can be seen under its final name.
 */
public final class Bundle {
    static final String CONTENTS = "skulk-bundle.json";
    /** The card that travels with a model; a catalog reads it before it derives one. */
    public static final String CARD = "model-card.toml";

    private static final int FORMAT = 1;
    private static final int MAX_CONTENTS = 64 << 20;
    private static final int CHUNK = 1 << 20;

    private Bundle() {}

    /** What lies in a folder, digests included; those that a verified transfer noted are trusted, others are worked out. */
    public static ModelManifest describe(Path folder, ModelId model) throws IOException {
        ModelFolder source = new ModelFolder(folder);
        Optional<ModelManifest> noted =
                source.manifest().filter(m -> m.files().stream().allMatch(source::holds));
        List<ModelFile> files = new ArrayList<>();
        for (ModelFile file : noted.isPresent() ? noted.get().files() : listed(folder)) {
            String digest =
                    file.sha256().isPresent() ? file.sha256().get() : Digests.sha256(folder.resolve(file.path()));
            files.add(new ModelFile(file.path(), file.size(), Optional.of(digest)));
        }
        return new ModelManifest(model, noted.map(ModelManifest::revision).orElse(""), "bundle", files);
    }

    private static List<ModelFile> listed(Path folder) throws IOException {
        List<ModelFile> files = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(folder, java.nio.file.FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : walk.filter(Files::isRegularFile).sorted().toList()) {
                String name = folder.relativize(file).toString().replace('\\', '/');
                if (name.startsWith(".") || name.contains("/.")) {
                    continue;
                }
                if (ModelFolder.reserved(name)) {
                    throw new IOException(folder + " is not complete: " + name);
                }
                files.add(new ModelFile(name, Files.size(file), Optional.empty()));
            }
        }
        return files;
    }

    /**
     * Writes a bundle.
     *
     * @param card text of the model's card; used where the folder has none
     * @param written hears how many bytes of the model have been written so far
     * @throws IOException also where a file does not have the digest that the manifest lists
     */
    public static void write(Path folder, ModelManifest manifest, String card, OutputStream to, LongConsumer written)
            throws IOException {
        boolean own = manifest.files().stream().anyMatch(f -> f.path().equals(CARD));
        byte[] text = card.getBytes(StandardCharsets.UTF_8);
        List<ModelFile> files = new ArrayList<>(manifest.files());
        if (!own) {
            String digest = HexFormat.of().formatHex(Digests.sha256().digest(text));
            files.addFirst(new ModelFile(CARD, text.length, Optional.of(digest)));
        }
        OutputStream out = new BufferedOutputStream(to, CHUNK);
        byte[] contents = contents(new ModelManifest(manifest.model(), manifest.revision(), "bundle", files));
        entry(out, CONTENTS, contents);
        long[] sum = {0};
        for (ModelFile file : files) {
            if (!own && file.path().equals(CARD)) {
                entry(out, CARD, text);
                continue;
            }
            Tar.Entry entry = new Tar.Entry(file.path(), file.size());
            Tar.header(out, entry);
            try (InputStream in = Files.newInputStream(folder.resolve(file.path()))) {
                copy(in, out, file, n -> written.accept(sum[0] += n));
                if (in.read() >= 0) {
                    throw new IOException("%s grew while it was read".formatted(folder.resolve(file.path())));
                }
            }
            out.write(new byte[entry.padding()]);
        }
        Tar.end(out);
        out.flush();
    }

    private static byte[] contents(ModelManifest manifest) {
        return JsonObject.builder()
                .put("format", FORMAT)
                .put("manifest", Records.toJson(manifest))
                .build()
                .toPrettyString()
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void entry(OutputStream out, String name, byte[] content) throws IOException {
        Tar.Entry entry = new Tar.Entry(name, content.length);
        Tar.header(out, entry);
        out.write(content);
        out.write(new byte[entry.padding()]);
    }

    private static void copy(InputStream in, OutputStream out, ModelFile file, LongConsumer copied) throws IOException {
        MessageDigest digest = Digests.sha256();
        byte[] buffer = new byte[CHUNK];
        for (long left = file.size(); left > 0; ) {
            int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (n < 0) {
                throw new EOFException("%s ends %d bytes early".formatted(file.path(), left));
            }
            digest.update(buffer, 0, n);
            out.write(buffer, 0, n);
            copied.accept(n);
            left -= n;
        }
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(file.sha256().orElse(""))) {
            throw new IOException("%s: SHA-256 is %s but %s is listed"
                    .formatted(file.path(), found, file.sha256().orElse("none")));
        }
    }

    /** A bundle that has been begun to be read. */
    public record Opened(InputStream in, ModelManifest manifest) {}

    /** Reads what a bundle holds; the files follow. @throws IOException where it is none */
    public static Opened open(InputStream from) throws IOException {
        InputStream in = new BufferedInputStream(from, CHUNK);
        Tar.Entry first = Tar.next(in).orElseThrow(() -> new IOException("the bundle is empty"));
        if (!first.name().equals(CONTENTS) || first.size() > MAX_CONTENTS) {
            throw new IOException("not a bundle: it does not begin with " + CONTENTS);
        }
        byte[] text = in.readNBytes((int) first.size());
        in.skipNBytes(first.padding());
        try {
            JsonObject contents = (JsonObject) Json.parse(text);
            if (contents.integer("format").orElse(0L) != FORMAT) {
                throw new IOException("the bundle has format %s, this program reads %d"
                        .formatted(contents.find("format").orElse(Json.NULL), FORMAT));
            }
            ModelManifest manifest =
                    Records.fromJson(contents.object("manifest").orElse(JsonObject.EMPTY), ModelManifest.class);
            for (ModelFile file : manifest.files()) {
                if (ModelFolder.reserved(file.path()) || file.sha256().isEmpty()) {
                    throw new IOException("the bundle lists a file that cannot be taken: " + file.path());
                }
            }
            return new Opened(in, manifest);
        } catch (JsonException | IllegalArgumentException | ClassCastException e) {
            throw new IOException("the bundle's " + CONTENTS + " is malformed: " + e.getMessage(), e);
        }
    }

    /**
     * Unpacks a bundle into {@code root/org--name}, in the place of what was there. The folder appears whole or not at all.
     *
     * @param written hears how many bytes of the model have been written so far
     * @return the folder
     */
    public static Path unpack(Opened bundle, Path root, LongConsumer written) throws IOException {
        ModelManifest manifest = bundle.manifest();
        Files.createDirectories(root);
        long free = DiskSpace.real().free(root);
        if (manifest.totalBytes() > free) {
            throw new IOException("%s needs %d bytes in %s, %d are free"
                    .formatted(manifest.model(), manifest.totalBytes(), root, free));
        }
        Path fresh = root.resolve(".import-" + UUID.randomUUID());
        try {
            long[] sum = {0};
            for (ModelFile file : manifest.files()) {
                Tar.Entry entry = Tar.next(bundle.in())
                        .filter(e -> e.name().equals(file.path()) && e.size() == file.size())
                        .orElseThrow(() -> new IOException("the bundle lacks " + file.path()));
                Path target = fresh.resolve(file.path());
                Files.createDirectories(target.getParent());
                try (OutputStream out = Files.newOutputStream(target)) {
                    copy(bundle.in(), out, file, n -> written.accept(sum[0] += n));
                }
                bundle.in().skipNBytes(entry.padding());
            }
            new ModelFolder(fresh).write(manifest);
            ModelFolder folder = ModelFolder.of(root, manifest.model());
            Optional<Path> before = folder.exists() ? Optional.of(folder.moveToTrash()) : Optional.empty();
            Files.move(fresh, folder.path(), StandardCopyOption.ATOMIC_MOVE);
            if (before.isPresent()) {
                ModelFolder.delete(before.get());
            }
            return folder.path();
        } catch (IOException e) {
            throw DiskSpace.explained(e, root, manifest.totalBytes());
        } finally {
            ModelFolder.delete(fresh);
        }
    }
}
