package skulk.storage.store;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import skulk.api.Cluster;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Shard;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * The store on its host: a directory that the node downloads into. Fetching is the node's: a download asked of the store becomes a download of this node,
 * which goes into the store because this node hosts it.
 */
final class LocalStore implements Store {
    private final Path root;
    private final Cluster cluster;

    LocalStore(Path root, Cluster cluster) {
        this.root = root;
        this.cluster = cluster;
    }

    Path root() {
        return root;
    }

    @Override
    public Health health() throws IOException {
        Files.createDirectories(root);
        var volume = Files.getFileStore(root);
        long used = 0;
        for (StoreFolder folder : StoreFolder.under(root)) {
            used += size(folder.path());
        }
        return new Health(root.toString(), volume.getUsableSpace(), volume.getTotalSpace(), used);
    }

    private static long size(Path tree) throws IOException {
        long[] sum = {0};
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                sum[0] += attributes.size();
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE; // renamed while we looked
            }
        });
        return sum[0];
    }

    @Override
    public List<Entry> registry() throws IOException {
        List<Entry> entries = new ArrayList<>();
        for (StoreFolder folder : StoreFolder.under(root)) {
            if (folder.complete()) {
                ModelManifest manifest = folder.manifest().orElseThrow();
                List<String> names =
                        manifest.files().stream().map(ModelFile::path).toList();
                entries.add(new Entry(
                        folder.model().orElseThrow(),
                        folder.path().toString(),
                        names,
                        folder.since().toString(),
                        manifest.totalBytes(),
                        names.stream().anyMatch(n -> n.contains("mmproj"))));
            }
        }
        save(entries);
        return entries;
    }

    /** The registry is worked out from the folders; the file is for people and other tools. */
    private synchronized void save(List<Entry> entries) throws IOException {
        if (!Files.isDirectory(root)) {
            return;
        }
        Path file = root.resolve("registry.json");
        String text = new JsonArray(entries.stream().<Json>map(Entry::toJson).toList()).toPrettyString() + "\n";
        if (!Files.exists(file) || !Files.readString(file).equals(text)) {
            Path next = root.resolve(".registry.json.next");
            Files.writeString(next, text);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Override
    public List<Progress> downloads() {
        return own(cluster.view()).stream()
                .map(LocalStore::progress)
                .filter(p -> !p.status().equals(Progress.COMPLETE))
                .toList();
    }

    private static List<Download> own(ClusterView view) {
        return view.downloads().getOrDefault(view.self(), List.of());
    }

    private static Progress progress(Download download) {
        ModelId model = download.shardMetadata().modelCard().modelId();
        return switch (download) {
            case Download.DownloadPending p -> new Progress(model, "pending", 0, Optional.empty());
            case Download.DownloadOngoing o -> {
                long total = o.downloadProgress().total().inBytes();
                long done = o.downloadProgress().downloaded().inBytes();
                yield new Progress(model, "downloading", total == 0 ? 0 : (double) done / total, Optional.empty());
            }
            case Download.DownloadCompleted c -> new Progress(model, Progress.COMPLETE, 1, Optional.empty());
            case Download.DownloadFailed f -> new Progress(model, Progress.FAILED, 0, Optional.of(f.errorMessage()));
        };
    }

    @Override
    public Optional<Progress> status(ModelId model) throws IOException {
        if (StoreFolder.of(root, model).complete()) {
            return Optional.of(new Progress(model, Progress.COMPLETE, 1, Optional.empty()));
        }
        return told(cluster.view(), model);
    }

    private static Optional<Progress> told(ClusterView view, ModelId model) {
        return own(view).stream()
                .map(LocalStore::progress)
                .filter(p -> p.modelId().equals(model) && !p.status().equals(Progress.COMPLETE))
                .findFirst();
    }

    @Override
    public Progress download(ModelId model, Duration wait) throws IOException {
        StoreFolder folder = StoreFolder.of(root, model);
        if (folder.complete()) {
            return new Progress(model, Progress.COMPLETE, 1, Optional.empty());
        }
        ModelCard card = card(model);
        Begun begun = new Begun(model, folder, told(cluster.view(), model));
        cluster.views().subscribe(begun);
        try {
            cluster.call(new Operation.StartDownload(cluster.view().self(), Shard.PipelineShardMetadata.all(card)));
            return begun.result.get(wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return new Progress(model, "pending", 0, Optional.empty());
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            begun.stop();
        }
    }

    private ModelCard card(ModelId model) {
        return cluster.call(new Operation.ListModels()).stream()
                .map(Operation.CatalogEntry::card)
                .filter(c -> c.modelId().equals(model))
                .findFirst()
                .orElseGet(() -> cluster.call(new Operation.AddModel(model)).card());
    }

    /** Waits for the view in which a download is under way with its files known, done, or failed anew. */
    private static final class Begun implements Flow.Subscriber<ClusterView> {
        private final ModelId model;
        private final StoreFolder folder;
        private final Optional<Progress> before;
        private final CompletableFuture<Progress> result = new CompletableFuture<>();
        private volatile Optional<Flow.Subscription> subscription = Optional.empty();

        Begun(ModelId model, StoreFolder folder, Optional<Progress> before) {
            this.model = model;
            this.folder = folder;
            this.before = before.filter(p -> p.status().equals(Progress.FAILED));
        }

        @Override
        public void onSubscribe(Flow.Subscription s) {
            subscription = Optional.of(s);
            s.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(ClusterView view) {
            try {
                Optional<Progress> told = told(view, model);
                if (folder.complete()) {
                    result.complete(new Progress(model, Progress.COMPLETE, 1, Optional.empty()));
                } else if (told.isPresent() && !told.equals(before)) {
                    boolean failed = told.get().status().equals(Progress.FAILED);
                    if (failed
                            || (told.get().status().equals("downloading")
                                    && folder.manifest().isPresent())) {
                        result.complete(told.get());
                    }
                }
            } catch (IOException e) {
                result.completeExceptionally(e);
            }
        }

        @Override
        public void onError(Throwable e) {
            result.completeExceptionally(e);
        }

        @Override
        public void onComplete() {
            stop();
        }

        void stop() {
            subscription.ifPresent(Flow.Subscription::cancel);
        }
    }

    @Override
    public boolean delete(ModelId model) throws IOException {
        StoreFolder folder = StoreFolder.of(root, model);
        if (!Files.isDirectory(folder.path())) {
            return false;
        }
        ClusterView view = cluster.view();
        if (told(view, model).filter(p -> p.status().equals("downloading")).isPresent()) {
            throw new SkulkException(
                    Problem.Kind.CONFLICT, "Model %s is being downloaded; cancel the download first".formatted(model));
        }
        boolean loaded = view.instancesOf(model)
                .anyMatch(i -> i.shardAssignments().nodeToRunner().containsKey(view.self()));
        if (loaded) {
            throw new SkulkException(
                    Problem.Kind.CONFLICT,
                    "Model %s is loaded from the store; delete its instance first".formatted(model));
        }
        Path trash = root.resolve(".trash-" + UUID.randomUUID());
        Files.move(folder.path(), trash, StandardCopyOption.ATOMIC_MOVE);
        remove(trash);
        registry();
        return true;
    }

    private static void remove(Path tree) throws IOException {
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    @Override
    public Optional<ModelManifest> files(ModelId model) throws IOException {
        return StoreFolder.of(root, model).manifest();
    }

    /** Goes on with a download that a restart interrupted: nobody else would, and somebody is asking for it. */
    void resume(ModelId model) throws IOException {
        Optional<Progress> told = told(cluster.view(), model);
        if (told.isEmpty()
                || told.get().status().equals(Progress.FAILED)
                || told.get().status().equals("pending")) {
            download(model, Duration.ZERO);
        }
    }
}
