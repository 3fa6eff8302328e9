package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import skulk.api.StorageBackend;
import skulk.api.cluster.Download.DownloadCompleted;
import skulk.api.cluster.Download.DownloadFailed;
import skulk.api.cluster.Download.DownloadOngoing;
import skulk.api.cluster.Download.DownloadPending;
import skulk.api.cluster.Memory;
import skulk.api.cluster.Shard;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation.StagedModel;
import skulk.api.operation.Operation.StorageReport;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * The node's models on disk, the one entry to this package: fetches what a rank needs, evicts what nobody needs, reports what is there. Methods may be
 * called from any thread; only {@link #ensure} returns before its work is done.
 *
 * <p>Evictions and the beginning of downloads exclude each other, so a copy that a rank is about to load cannot be taken away: from the call of
 * {@code ensure} until its future completes the model counts as in use, and from then on the {@code active} cards must name it.
 */
public final class StorageService implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(StorageService.class.getName());

    private final StorageSettings settings;
    private final StorageListener listener;
    private final Supplier<? extends Collection<ModelCard>> active;
    private final Staging staging;
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("storage-progress").factory());

    /** Guards {@code jobs}, {@code shards} and the moment in which folders vanish. */
    private final Object lock = new Object();

    private final Map<ModelId, Job> jobs = new HashMap<>();
    /** The shards that each staged model was fetched for; evictions are reported under them. */
    private final Map<ModelId, List<Shard>> shards = new HashMap<>();
    /** What was told as failed last. */
    private final Map<ModelId, Shard> failed = new HashMap<>();

    /**
     * @param backends the sources in configured order, asked anew at each use
     * @param shares says what shards need of their files
     * @param active the cards of the models that have a rank on this node, wanted or running; asked at each decision
     * @param listener hears of every change
     */
    public StorageService(
            StorageSettings settings,
            Supplier<? extends List<StorageBackend>> backends,
            ShareSource shares,
            Supplier<? extends Collection<ModelCard>> active,
            StorageListener listener) {
        this(settings, backends, shares, active, listener, DiskSpace.real());
    }

    StorageService(
            StorageSettings settings,
            Supplier<? extends List<StorageBackend>> backends,
            ShareSource shares,
            Supplier<? extends Collection<ModelCard>> active,
            StorageListener listener,
            DiskSpace disk) {
        this.settings = settings;
        this.active = active;
        this.listener = listener;
        Throttle throttle = new Throttle(settings.limits().bytesPerSecond(), System::nanoTime);
        this.staging = new Staging(
                settings, new Sources(backends, settings.storeOnly(), settings.limits()), shares, disk, throttle);
        clock.scheduleWithFixedDelay(this::tick, 1, 1, TimeUnit.SECONDS);
    }

    /** One model on its way. */
    private static final class Job {
        final Shard shard;
        final Progress progress = new Progress(System::nanoTime);
        final CompletableFuture<Staged> result = new CompletableFuture<>();
        volatile Thread thread;
        volatile boolean cancelled;
        volatile boolean over;

        Job(Shard shard) {
            this.shard = shard;
        }
    }

    /**
     * Makes a shard's model loadable on this node and tells the listener how that goes. A model that is being fetched already is not fetched twice; another
     * shard of it comes after that.
     *
     * @return completes with the folder, or exceptionally with a {@link SkulkException} (NOT_FOUND, OUT_OF_RESOURCES, NOT_READY; CONFLICT after a cancel)
     */
    public CompletableFuture<Staged> ensure(Shard shard) {
        ModelId model = shard.modelCard().modelId();
        synchronized (lock) {
            Job running = jobs.get(model);
            if (running != null && running.shard.covers(shard)) {
                return running.result.copy();
            }
            if (running != null) {
                return running.result
                        .handle((staged, failure) -> running)
                        .thenCompose(before -> before.cancelled ? before.result.copy() : ensure(shard));
            }
            Job job = new Job(shard);
            failed.remove(model);
            jobs.put(model, job);
            List<Shard> fetched = shards.computeIfAbsent(model, m -> new ArrayList<>());
            fetched.removeIf(shard::same);
            fetched.add(shard);
            workers.execute(() -> run(job));
            return job.result.copy();
        }
    }

    /** What can be loaded at once, companions included; reads the disk, never the network of a source's own. */
    public Optional<Staged> ready(Shard shard) {
        return staging.ready(shard);
    }

    /**
     * Stops fetching a model; what has arrived stays for the next attempt. Where that has failed already, the failure is not told any more. False where there is
     * neither.
     */
    public boolean cancel(ModelId model) {
        Job job;
        Optional<Shard> dismissed;
        synchronized (lock) {
            job = jobs.get(model);
            dismissed = Optional.ofNullable(failed.remove(model));
        }
        if (job == null) {
            dismissed.ifPresent(shard -> listener.changed(
                    pending(shard, 0, shard.modelCard().storageSize().inBytes())));
            return dismissed.isPresent();
        }
        job.cancelled = true;
        Thread thread = job.thread;
        if (thread != null) {
            thread.interrupt();
        }
        return true;
    }

    private void run(Job job) {
        job.thread = Thread.currentThread();
        ModelCard card = job.shard.modelCard();
        try {
            if (job.cancelled) {
                throw new InterruptedException();
            }
            Optional<Staged> ready = staging.ready(job.shard);
            if (ready.isEmpty()) {
                tell(job, pending(job.shard, 0, card.storageSize().inBytes()));
            }
            Staged staged = staging.fetch(job.shard, job.progress);
            staged.warnings().forEach(w -> LOG.log(System.Logger.Level.WARNING, "{0}: {1}", card.modelId(), w));
            long total = staged.partial().isEmpty()
                    ? Math.max(job.progress.totalBytes(), card.storageSize().inBytes())
                    : job.progress.totalBytes();
            end(job);
            listener.changed(new DownloadCompleted(
                    settings.node(), job.shard, staged.folder().toString(), new Memory(total), staged.inPlace()));
            job.result.complete(staged);
        } catch (InterruptedException e) {
            end(job);
            listener.changed(pending(job.shard, job.progress.downloadedBytes(), job.progress.totalBytes()));
            job.result.completeExceptionally(new SkulkException(
                    Problem.Kind.CONFLICT, "fetching model %s was cancelled".formatted(card.modelId())));
        } catch (RuntimeException | Error e) {
            end(job);
            fail(job, e);
        }
    }

    private void fail(Job job, Throwable e) {
        ModelCard card = job.shard.modelCard();
        SkulkException problem = e instanceof SkulkException known
                ? known
                : new SkulkException(
                        Problem.of(Problem.Kind.INTERNAL, "fetching model %s failed: %s".formatted(card.modelId(), e)),
                        e);
        LOG.log(System.Logger.Level.ERROR, problem.getMessage());
        synchronized (lock) {
            failed.put(card.modelId(), job.shard);
        }
        listener.changed(
                new DownloadFailed(settings.node(), job.shard, directory(card.modelId()), problem.getMessage()));
        job.result.completeExceptionally(problem);
    }

    /** After this the clock does not tell of the job any more, so that its last word stays the last. */
    private void end(Job job) {
        synchronized (job) {
            job.over = true;
        }
        synchronized (lock) {
            jobs.remove(job.shard.modelCard().modelId());
        }
    }

    private void tick() {
        List<Job> running;
        synchronized (lock) {
            running = List.copyOf(jobs.values());
        }
        for (Job job : running) {
            if (job.progress.totalBytes() > 0 && job.progress.due()) {
                ModelId model = job.shard.modelCard().modelId();
                tell(job, new DownloadOngoing(settings.node(), job.shard, directory(model), job.progress.snapshot()));
            }
        }
    }

    private void tell(Job job, skulk.api.cluster.Download download) {
        synchronized (job) {
            if (!job.over) {
                listener.changed(download);
            }
        }
    }

    private DownloadPending pending(Shard shard, long downloaded, long total) {
        return new DownloadPending(
                settings.node(),
                shard,
                directory(shard.modelCard().modelId()),
                new Memory(downloaded),
                new Memory(total));
    }

    private String directory(ModelId model) {
        return ModelFolder.of(settings.downloadRoot(), model).path().toString();
    }

    // ---- eviction: one decision, three triggers

    /** First trigger: an instance's rank on this node has gone. Notes the use of its model, then evicts beyond the grace budget. */
    public void release(ModelId model) {
        ModelFolder folder = ModelFolder.of(settings.staging(), model);
        try {
            if (folder.exists()) {
                folder.touch(Instant.now());
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot note the use of " + folder.path(), e);
        }
        if (settings.automatic()) {
            evict(settings.keepBytes(), _ -> true);
        }
    }

    /** Second trigger: the node starts; removes what a killed session left, then evicts beyond the grace budget. */
    public void reconcile() {
        try {
            ModelFolder.emptyTrash(settings.staging());
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot remove what an interrupted eviction left", e);
        }
        if (settings.automatic()) {
            evict(settings.keepBytes(), _ -> true);
        }
    }

    /** Third trigger: the operator. Removes all staged copies that are not in use, or the one of a model; never a store's copy. */
    public void purge(Optional<ModelId> only) {
        if (settings.copies()) {
            evict(0, model -> only.isEmpty() || only.get().equals(model));
        }
    }

    private void evict(long budget, Predicate<ModelId> wanted) {
        List<Path> trash = new ArrayList<>();
        List<Shard> evicted = new ArrayList<>();
        synchronized (lock) {
            Map<ModelId, ModelFolder> folders = new HashMap<>();
            List<Eviction.Copy> copies = new ArrayList<>();
            for (ModelFolder folder : staged()) {
                ModelId model = folder.model().orElseThrow();
                if (wanted.test(model)) {
                    folders.put(model, folder);
                    copies.add(new Eviction.Copy(model, folder.size(), folder.lastUsed()));
                }
            }
            for (ModelId model : Eviction.victims(copies, inUse(), budget)) {
                try {
                    trash.add(folders.get(model).moveToTrash());
                    Optional.ofNullable(shards.remove(model)).ifPresent(evicted::addAll);
                    LOG.log(System.Logger.Level.INFO, "evicted the staged copy of {0}", model);
                } catch (IOException e) {
                    LOG.log(
                            System.Logger.Level.WARNING,
                            "cannot evict " + folders.get(model).path(),
                            e);
                }
            }
        }
        evicted.forEach(shard -> listener.changed(
                pending(shard, 0, shard.modelCard().storageSize().inBytes())));
        for (Path tree : trash) {
            try {
                ModelFolder.delete(tree);
            } catch (IOException e) {
                LOG.log(System.Logger.Level.WARNING, "cannot delete " + tree + "; the next start tries again", e);
            }
        }
    }

    private List<ModelFolder> staged() {
        try (Stream<ModelFolder> folders = ModelFolder.under(settings.staging())) {
            return folders.toList();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot list " + settings.staging(), e);
            return List.of();
        }
    }

    private Set<ModelId> inUse() {
        Set<ModelId> staging = new HashSet<>();
        for (Job job : jobs.values()) {
            staging.add(job.shard.modelCard().modelId());
            staging.addAll(job.shard.modelCard().companions());
        }
        return Eviction.inUse(active.get(), staging);
    }

    // ---- the picture

    /**
     * What is staged on this node, and the disk it is on.
     *
     * @param eventLogBytes of the node's event log, which others keep
     */
    public StorageReport report(long eventLogBytes) throws IOException {
        Set<ModelId> used;
        synchronized (lock) {
            used = inUse();
        }
        List<StagedModel> models = new ArrayList<>();
        for (ModelFolder folder : staged()) {
            ModelId model = folder.model().orElseThrow();
            models.add(new StagedModel(
                    model,
                    folder.path().toString(),
                    folder.size(),
                    folder.lastUsed().toEpochMilli() / 1e3,
                    used.contains(model)));
        }
        var volume = DiskSpace.store(settings.downloadRoot());
        return new StorageReport(
                settings.node(),
                settings.copies() ? Optional.of(settings.staging().toString()) : Optional.empty(),
                models,
                models.stream().mapToLong(StagedModel::sizeBytes).sum(),
                eventLogBytes,
                volume.getTotalSpace(),
                volume.getUsableSpace());
    }

    /** Stops all transfers; what has arrived stays for the next start. */
    @Override
    public void close() {
        clock.shutdownNow();
        workers.shutdownNow();
        workers.close();
    }
}
