package skulk.kernel.trace;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.Records;
import skulk.api.operation.Operation.Trace;
import skulk.api.operation.Operation.TraceInfo;

/**
 * Trace files {@code trace_<taskId>.json} in the cache directory, pruned a minute after the start and then hourly (contract section 12). Safe for use by several
 * threads; saving is done by a thread of its own.
 */
public final class TraceStore implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(TraceStore.class.getName());

    private final Path directory;
    private final long days;
    private final ExecutorService writer = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("traces").daemon().factory());
    private final ScheduledExecutorService janitor = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("trace-janitor").daemon().factory());

    /** @param days that traces are kept; 0 keeps all */
    public TraceStore(Path directory, long days) {
        this.directory = directory;
        this.days = days;
        if (days > 0) {
            janitor.scheduleAtFixedRate(() -> prune(Instant.now()), 60, 3600, TimeUnit.SECONDS);
        }
    }

    /** Saves a trace, later. */
    public void save(Trace trace) {
        writer.execute(() -> {
            try {
                Files.createDirectories(directory);
                Path fresh = directory.resolve("trace_" + trace.info().taskId() + ".new");
                Files.writeString(fresh, Records.toJson(trace).toString());
                Files.move(fresh, file(trace.info().taskId()), StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "trace {0} is lost: {1}", trace.info().taskId(), e.getMessage());
            }
        });
    }

    /** All traces, newest first. */
    public List<TraceInfo> list() {
        List<TraceInfo> found = new ArrayList<>();
        for (Path file : files()) {
            read(file).ifPresent(trace -> found.add(trace.info()));
        }
        found.sort(Comparator.comparing(TraceInfo::createdAt).reversed());
        return found;
    }

    public Optional<Trace> read(String taskId) {
        return valid(taskId) ? read(file(taskId)) : Optional.empty();
    }

    /** The ids of those that existed. */
    public List<String> delete(List<String> taskIds) {
        List<String> deleted = new ArrayList<>();
        for (String id : taskIds) {
            try {
                if (valid(id) && Files.deleteIfExists(file(id))) {
                    deleted.add(id);
                }
            } catch (IOException e) {
                LOG.log(Level.WARNING, "trace {0} stays: {1}", id, e.getMessage());
            }
        }
        return deleted;
    }

    void prune(Instant now) {
        for (Path file : files()) {
            try {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(Duration.ofDays(days)))) {
                    Files.deleteIfExists(file);
                }
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "pruning " + file, e);
            }
        }
    }

    private List<Path> files() {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> f.getFileName().toString().matches("trace_.*\\.json"))
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /** An id comes from a URL and goes into a path. */
    private static boolean valid(String taskId) {
        return taskId.matches("[A-Za-z0-9-]{1,64}");
    }

    private Path file(String taskId) {
        return directory.resolve("trace_" + taskId + ".json");
    }

    private static Optional<Trace> read(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            Trace trace = Records.fromJson(Json.parse(bytes), Trace.class);
            TraceInfo i = trace.info();
            return Optional.of(new Trace(
                    new TraceInfo(
                            i.taskId(),
                            i.createdAt(),
                            bytes.length,
                            i.modelId(),
                            i.taskKind(),
                            i.categories(),
                            i.tags(),
                            i.hasToolActivity(),
                            i.sourceNodes()),
                    trace.spans()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | JsonException e) {
            LOG.log(Level.WARNING, "{0} is not a trace: {1}", file, e.getMessage());
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        janitor.shutdownNow();
        writer.shutdown();
    }
}
