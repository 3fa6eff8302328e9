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
import skulk.api.RankContext.Partial;
import skulk.api.cluster.Shard;
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
    private final ShareSource shares;
    private final DiskSpace disk;
    private final ModelTransfer.Pace pace;
    /** Bytes that running transfers have yet to write. */
    private final AtomicLong reserved = new AtomicLong();

    /** @param shares says what shards need, where a node may have less than the whole */
    Staging(StorageSettings settings, Sources sources, ShareSource shares, DiskSpace disk, Throttle throttle) {
        this.settings = settings;
        this.sources = sources;
        this.shares = shares;
        this.disk = disk;
        this.pace = new ModelTransfer.Pace(settings.limits(), throttle);
    }

    /**
     * What can be loaded without the network, and whether it lies in place.
     *
     * @param partial the files that are here in part
     */
    private record Ready(Path folder, boolean inPlace, Map<String, Partial> partial) {
        static Ready whole(Path folder, boolean inPlace) {
            return new Ready(folder, inPlace, Map.of());
        }
    }

    /** The shard's model as it can be loaded without fetching anything; empty where a part that it needs is missing. */
    Optional<Staged> ready(Shard shard) {
        ModelCard card = shard.modelCard();
        Optional<Ready> main = here(card.modelId(), new ArrayList<>()).or(() -> part(shard));
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
        return Optional.of(
                new Staged(main.get().folder(), main.get().partial(), main.get().inPlace(), companions, warnings));
    }

    /**
     * Fetches what {@link #ready} lacks.
     *
     * @throws SkulkException NOT_FOUND where no source has it, OUT_OF_RESOURCES where it does not fit, NOT_READY where transfers failed
     */
    Staged fetch(Shard shard, Progress progress) throws InterruptedException {
        ModelCard card = shard.modelCard();
        Ready main = fetch(card.modelId(), sparse(shard), progress);
        Map<String, Path> companions = new HashMap<>();
        List<String> warnings = new ArrayList<>();
        for (ModelId companion : card.companions()) {
            try {
                companions.put(
                        companion.value(),
                        fetch(companion, Optional.empty(), progress).folder());
            } catch (SkulkException e) {
                if (required(card, companion)) {
                    throw e;
                }
                warnings.add(missing(companion, e.getMessage()));
            }
        }
        return new Staged(main.folder(), main.partial(), main.inPlace(), companions, warnings);
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
                return Optional.of(Ready.whole(
                        folder.path(), settings.store().filter(root::equals).isPresent()));
            }
        }
        return sources.local(model, reasons).map(folder -> Ready.whole(folder, true));
    }

    /** The shard where its share of the files suffices; the store's host keeps whole models for all. */
    private Optional<Shard> sparse(Shard shard) {
        return shard.whole() || settings.store().isPresent() ? Optional.empty() : Optional.of(shard);
    }

    private Optional<Ready> part(Shard shard) {
        ModelFolder folder =
                ModelFolder.of(settings.staging(), shard.modelCard().modelId());
        return sparse(shard)
                .flatMap(s -> ShardNotes.find(folder, s))
                .map(wanted -> new Ready(folder.path(), false, folder.partial(wanted)));
    }

    private List<Path> roots() {
        return settings.store()
                .map(store -> List.of(settings.staging(), store))
                .orElseGet(() -> List.of(settings.staging()));
    }

    /** @param sparse the shard where its share suffices */
    private Ready fetch(ModelId model, Optional<Shard> sparse, Progress progress) throws InterruptedException {
        List<String> reasons = new ArrayList<>();
        Optional<Ready> here = here(model, reasons).or(() -> sparse.flatMap(this::part));
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
        if (!sources.visit(model, reasons, found -> transfer(folder, found, sparse, progress))) {
            throw notFetched(model, reasons);
        }
        if (folder.complete()) {
            return Ready.whole(folder.path(), settings.store().isPresent());
        }
        return sparse.flatMap(this::part)
                .orElseThrow(() -> new SkulkException(
                        Problem.Kind.INTERNAL, "what was fetched of %s is not in %s".formatted(model, folder.path())));
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

    private void transfer(ModelFolder folder, Found found, Optional<Shard> sparse, Progress progress)
            throws IOException, InterruptedException {
        Optional<ShardNotes> before = ShardNotes.of(folder);
        try {
            write(folder, found, sparse, progress);
        } catch (IOException e) {
            if (DiskSpace.isFull(e)) {
                throw diskFull(folder, found.manifest(), before, e);
            }
            throw e;
        }
    }

    private void write(ModelFolder folder, Found found, Optional<Shard> sparse, Progress progress)
            throws IOException, InterruptedException {
        ModelManifest manifest = dropChanged(folder, found.manifest());
        ModelTransfer transfer = new ModelTransfer(folder, manifest, found.backend(), pace, progress);
        Wanted wanted = Wanted.whole(manifest);
        if (sparse.isPresent()) {
            // what a share takes is known from the headers only: these must fit in any case
            withRoom(folder, manifest, headers(folder, manifest), () -> folder.write(manifest));
            wanted = Wanted.of(manifest, shares.share(sparse.get(), transfer.incoming()));
        }
        Wanted all = wanted;
        withRoom(folder, manifest, ModelTransfer.missing(folder, all), () -> {
            folder.write(manifest);
            progress.begin(all);
            boolean verified = transfer.run(all);
            noteDigests(folder, manifest);
            if (sparse.isPresent()) {
                ShardNotes.add(folder, sparse.get(), all, verified);
            }
            touch(folder);
        });
    }

    private static long headers(ModelFolder folder, ModelManifest manifest) {
        return manifest.files().stream()
                .filter(file -> !folder.holds(file) && !Files.exists(folder.partial(file)))
                .mapToLong(file -> Math.min(file.size(), BlockJournal.BLOCK))
                .sum();
    }

    private interface Writing {
        void run() throws IOException, InterruptedException;
    }

    private void withRoom(ModelFolder folder, ModelManifest manifest, long need, Writing action)
            throws IOException, InterruptedException {
        long before = reserved.getAndAdd(need);
        try {
            long free = disk.free(folder.path()) - before;
            if (need > free) {
                throw tooLarge(folder, manifest, need, free);
            }
            action.run();
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

    /**
     * Something else took the room that was there: what was fetched goes, so that nothing half-made keeps the disk full. Shares that were complete before stay, as
     * ranks may be running on them; what has arrived of the files they lie in stays with them.
     */
    private SkulkException diskFull(
            ModelFolder folder, ModelManifest manifest, Optional<ShardNotes> before, IOException e) throws IOException {
        long free = Math.max(0, disk.free(folder.path()));
        try {
            if (before.isEmpty()) {
                ModelFolder.delete(folder.path());
            } else {
                for (ModelFile file : manifest.files()) {
                    if (before.get().blocks(file).isEmpty()) {
                        Files.deleteIfExists(folder.partial(file));
                        Files.deleteIfExists(folder.blocks(file));
                    }
                }
            }
        } catch (IOException again) {
            e.addSuppressed(again);
        }
        return new SkulkException(
                Problem.of(
                        Problem.Kind.OUT_OF_RESOURCES,
                        "disk_full",
                        "node %s ran out of disk while writing to %s: model %s needs %s in all, %s were free; %s (%s)"
                                .formatted(
                                        settings.nodeName(),
                                        folder.path(),
                                        manifest.model(),
                                        gigabytes(manifest.totalBytes()),
                                        gigabytes(free),
                                        before.isEmpty()
                                                ? "what was fetched of it has been removed"
                                                : "what ranks have of it stays",
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

    /** Removes files that an earlier listing had otherwise, so that revisions never mix; answers the manifest with the digests that are known of what stays. */
    private static ModelManifest dropChanged(ModelFolder folder, ModelManifest manifest) throws IOException {
        Optional<ModelManifest> old = folder.manifest();
        if (old.isEmpty()) {
            return manifest;
        }
        boolean sameRevision =
                !manifest.revision().isEmpty() && old.get().revision().equals(manifest.revision());
        Map<String, ModelFile> before = new HashMap<>();
        old.get().files().forEach(f -> before.put(f.path(), f));
        List<ModelFile> files = new ArrayList<>();
        for (ModelFile file : manifest.files()) {
            Optional<ModelFile> was = Optional.ofNullable(before.remove(file.path()));
            boolean same = was.isPresent() && same(was.get(), file, sameRevision);
            if (was.isPresent() && !same) {
                Files.deleteIfExists(folder.file(file));
            }
            files.add(same ? was.get() : file);
        }
        for (ModelFile gone : before.values()) {
            Files.deleteIfExists(folder.file(gone));
        }
        return new ModelManifest(manifest.model(), manifest.revision(), manifest.source(), files);
    }

    private static boolean same(ModelFile was, ModelFile now, boolean sameRevision) {
        return was.size() == now.size()
                && (now.sha256().isPresent() ? was.sha256().equals(now.sha256()) : sameRevision);
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
