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
import skulk.api.cluster.NodeId;
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
    /** Longest wait until an old failure is not told any more. */
    private static final Duration DISMISSAL = Duration.ofSeconds(5);

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
        NodeId self = cluster.view().self();
        ModelCard card = card(model);
        Progress pending = new Progress(model, "pending", 0, Optional.empty());
        if (failed(cluster.view(), model)) { // the same failure again could not be told from the old one
            watch(
                    view -> failed(view, model) ? Optional.empty() : Optional.of(pending),
                    new Operation.CancelDownload(self, model),
                    DISMISSAL);
        }
        return watch(
                        view -> begun(view, model, folder),
                        new Operation.StartDownload(self, Shard.PipelineShardMetadata.all(card)),
                        wait)
                .orElse(pending);
    }

    private static boolean failed(ClusterView view, ModelId model) {
        return told(view, model).filter(p -> p.status().equals(Progress.FAILED)).isPresent();
    }

    /** What there is to tell once a download is under way with its files known, done, or failed. */
    private static Optional<Progress> begun(ClusterView view, ModelId model, StoreFolder folder) throws IOException {
        if (folder.complete()) {
            return Optional.of(new Progress(model, Progress.COMPLETE, 1, Optional.empty()));
        }
        boolean known = folder.manifest().isPresent();
        return told(view, model)
                .filter(p -> p.status().equals(Progress.FAILED)
                        || (known && p.status().equals("downloading")));
    }

    /** Does something and waits for the view in which there is an answer; empty where that takes too long. */
    private Optional<Progress> watch(Answer answer, Operation<?> begin, Duration wait) throws IOException {
        Watch watch = new Watch(answer);
        cluster.views().subscribe(watch);
        try {
            cluster.call(begin);
            return Optional.of(watch.result.get(wait.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            watch.stop();
        }
    }

    private ModelCard card(ModelId model) {
        return cluster.call(new Operation.ListModels()).stream()
                .map(Operation.CatalogEntry::card)
                .filter(c -> c.modelId().equals(model))
                .findFirst()
                .orElseGet(() -> cluster.call(new Operation.AddModel(model)).card());
    }

    /** What a view says, if it says something. */
    private interface Answer {
        Optional<Progress> of(ClusterView view) throws IOException;
    }

    /** Waits for the first view that answers. */
    private static final class Watch implements Flow.Subscriber<ClusterView> {
        private final Answer answer;
        private final CompletableFuture<Progress> result = new CompletableFuture<>();
        private volatile Optional<Flow.Subscription> subscription = Optional.empty();

        Watch(Answer answer) {
            this.answer = answer;
        }

        @Override
        public void onSubscribe(Flow.Subscription s) {
            subscription = Optional.of(s);
            s.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(ClusterView view) {
            try {
                answer.of(view).ifPresent(result::complete);
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
