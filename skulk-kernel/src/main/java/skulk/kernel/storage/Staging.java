package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.storage.Sources.Found;

/** Brings one model and its companions to this node: what is there is used, the rest is fetched. Safe for use by several threads. */
final class Staging {
    private static final System.Logger LOG = System.getLogger(Staging.class.getName());

    private final StorageSettings settings;
    private final Sources sources;
    private final DiskSpace disk;
    private final ModelTransfer.Pace pace;
    /** Bytes that running transfers have yet to write. */
    private final AtomicLong reserved = new AtomicLong();

    Staging(StorageSettings settings, Sources sources, DiskSpace disk, Throttle throttle) {
        this.settings = settings;
        this.sources = sources;
        this.disk = disk;
        this.pace = new ModelTransfer.Pace(settings.limits(), throttle);
    }

    /** What can be loaded without the network, and whether it lies in place. */
    private record Ready(Path folder, boolean inPlace) {}

    /** The model as it can be loaded without fetching anything; empty where a part that it needs is missing. */
    Optional<Staged> ready(ModelCard card) {
        Optional<Ready> main = here(card.modelId(), new ArrayList<>());
        if (main.isEmpty()) {
            return Optional.empty();
        }
        Map<String, Path> companions = new HashMap<>();
        List<String> warnings = new ArrayList<>();
        for (ModelId companion : card.companions()) {
            Optional<Ready> found = here(companion, new ArrayList<>());
            found.ifPresent(f -> companions.put(companion.value(), f.folder()));
            if (found.isEmpty()) {
                if (required(card, companion)) {
                    return Optional.empty();
                }
                warnings.add(missing(companion, "not on this node"));
            }
        }
        return Optional.of(new Staged(main.get().folder(), main.get().inPlace(), companions, warnings));
    }

    /**
     * Fetches what {@link #ready} lacks.
     *
     * @throws SkulkException NOT_FOUND where no source has it, OUT_OF_RESOURCES where it does not fit, NOT_READY where transfers failed
     */
    Staged fetch(ModelCard card, Progress progress) throws InterruptedException {
        Ready main = fetch(card.modelId(), progress);
        Map<String, Path> companions = new HashMap<>();
        List<String> warnings = new ArrayList<>();
        for (ModelId companion : card.companions()) {
            try {
                companions.put(companion.value(), fetch(companion, progress).folder());
            } catch (SkulkException e) {
                if (required(card, companion)) {
                    throw e;
                }
                warnings.add(missing(companion, e.getMessage()));
            }
        }
        return new Staged(main.folder(), main.inPlace(), companions, warnings);
    }

    /** Split vision weights are part of the model; drafters only make it faster (contract section 13.4). */
    private static boolean required(ModelCard card, ModelId companion) {
        return card.vision()
                .flatMap(v -> v.string("weights_repo").or(() -> v.string("weightsRepo")))
                .filter(companion.value()::equals)
                .isPresent();
    }

    private static String missing(ModelId companion, String why) {
        return "companion %s is missing, going on without it: %s".formatted(companion, why);
    }

    private Optional<Ready> here(ModelId model, List<String> reasons) {
        for (Path root : roots()) {
            ModelFolder folder = ModelFolder.of(root, model);
            if (folder.complete()) {
                return Optional.of(new Ready(
                        folder.path(), settings.store().filter(root::equals).isPresent()));
            }
        }
        return sources.local(model, reasons).map(folder -> new Ready(folder, true));
    }

    private List<Path> roots() {
        return settings.store()
                .map(store -> List.of(settings.staging(), store))
                .orElseGet(() -> List.of(settings.staging()));
    }

    private Ready fetch(ModelId model, Progress progress) throws InterruptedException {
        List<String> reasons = new ArrayList<>();
        Optional<Ready> here = here(model, reasons);
        if (here.isPresent()) {
            touch(ModelFolder.of(settings.staging(), model));
            return here.get();
        }
        if (!settings.downloads()) {
            throw new SkulkException(
                    Problem.Kind.NOT_FOUND,
                    "model %s is not on node %s, which does not download".formatted(model, settings.nodeName()));
        }
        ModelFolder folder = ModelFolder.of(settings.downloadRoot(), model);
        if (!sources.visit(model, reasons, found -> transfer(folder, found, progress))) {
            throw notFetched(model, reasons);
        }
        return new Ready(folder.path(), settings.store().isPresent());
    }

    private SkulkException notFetched(ModelId model, List<String> reasons) {
        if (reasons.isEmpty()) {
            return new SkulkException(Problem.Kind.NOT_FOUND, "no source has model %s".formatted(model));
        }
        List<String> distinct = reasons.stream().distinct().toList();
        return new SkulkException(
                Problem.Kind.NOT_READY,
                "node %s could not fetch model %s: %s"
                        .formatted(settings.nodeName(), model, String.join("; ", distinct)));
    }

    private void transfer(ModelFolder folder, Found found, Progress progress) throws IOException, InterruptedException {
        try {
            write(folder, found, progress);
        } catch (IOException e) {
            if (DiskSpace.isFull(e)) {
                throw diskFull(folder, found.manifest(), e);
            }
            throw e;
        }
    }

    private void write(ModelFolder folder, Found found, Progress progress) throws IOException, InterruptedException {
        ModelManifest manifest = found.manifest();
        dropChanged(folder, manifest);
        long need = ModelTransfer.missing(folder, manifest);
        long before = reserved.getAndAdd(need);
        try {
            long free = disk.free(folder.path()) - before;
            if (need > free) {
                throw tooLarge(folder, manifest, need, free);
            }
            folder.write(manifest);
            progress.begin(manifest);
            new ModelTransfer(folder, manifest, found.backend(), pace, progress).run();
            noteDigests(folder, manifest);
            touch(folder);
        } finally {
            reserved.addAndGet(-need);
        }
    }

    /** The manifest lists sizes already; a disk without room for a longer one does not cost the model. */
    private static void noteDigests(ModelFolder folder, ModelManifest manifest) throws IOException {
        try {
            folder.write(ModelTransfer.withDigests(folder, manifest));
        } catch (IOException e) {
            if (!DiskSpace.isFull(e)) {
                throw e;
            }
            LOG.log(System.Logger.Level.WARNING, "no room to note the digests of {0}", manifest.model());
        }
    }

    /** Something else took the room that was there: what was fetched goes, so that nothing half-made keeps the disk full. */
    private SkulkException diskFull(ModelFolder folder, ModelManifest manifest, IOException e) throws IOException {
        long free = Math.max(0, disk.free(folder.path()));
        try {
            ModelFolder.delete(folder.path());
        } catch (IOException again) {
            e.addSuppressed(again);
        }
        return new SkulkException(
                Problem.of(
                        Problem.Kind.OUT_OF_RESOURCES,
                        "disk_full",
                        "node %s ran out of disk while writing to %s: model %s needs %s in all, %s were free; what was fetched of it has been removed (%s)"
                                .formatted(
                                        settings.nodeName(),
                                        folder.path(),
                                        manifest.model(),
                                        gigabytes(manifest.totalBytes()),
                                        gigabytes(free),
                                        ModelTransfer.message(e))),
                e);
    }

    private SkulkException tooLarge(ModelFolder folder, ModelManifest manifest, long need, long free) {
        return new SkulkException(Problem.of(
                Problem.Kind.OUT_OF_RESOURCES,
                "disk_full",
                "node %s has too little disk for model %s: %s needs %s more, %s are free"
                        .formatted(
                                settings.nodeName(),
                                manifest.model(),
                                folder.path(),
                                gigabytes(need),
                                gigabytes(Math.max(0, free)))));
    }

    private static String gigabytes(long bytes) {
        return bytes < 1_000_000_000 ? "%.1f MB".formatted(bytes / 1e6) : "%.1f GB".formatted(bytes / 1e9);
    }

    /** Removes files that an earlier listing had otherwise, so that revisions never mix. */
    private static void dropChanged(ModelFolder folder, ModelManifest manifest) throws IOException {
        Optional<ModelManifest> old = folder.manifest();
        if (old.isEmpty()
                || old.get().revision().equals(manifest.revision())
                        && old.get().files().equals(manifest.files())) {
            return;
        }
        Map<String, ModelFile> listed = new HashMap<>();
        manifest.files().forEach(f -> listed.put(f.path(), f));
        for (ModelFile file : old.get().files()) {
            ModelFile now = listed.get(file.path());
            boolean same = now != null
                    && now.size() == file.size()
                    && now.sha256().isPresent()
                    && now.sha256().equals(file.sha256());
            if (!same) {
                Files.deleteIfExists(folder.file(file));
            }
        }
    }

    private void touch(ModelFolder folder) {
        try {
            if (folder.exists()) {
                folder.touch(Instant.now());
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot note the use of " + folder.path(), e);
        }
    }
}
