package skulk.kernel.event;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.kernel.cluster.Event;
import skulk.kernel.cluster.Reported;

/**
 * Events as they happened, on disk, within {@link LogLimits}. Appending never waits and never fails: a thread of the log's own does the work, and where the disk
 * is full events are counted instead of written. Safe for use by several threads.
 */
public final class EventLog implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EventLog.class.getName());
    private static final int WRITE_AT_A_TIME = 1024;

    private final LogFile file;
    private final BlockingQueue<Entry> queue;
    private final AtomicLong lost = new AtomicLong();
    private final Thread writer;

    /** Something for the writer: an event, or a question that is answered between two writes. */
    private sealed interface Entry {
        record Append(Supplier<Json> record) implements Entry {}

        record Barrier(CompletableFuture<Stream<Json>> answer) implements Entry {}

        record End() implements Entry {}
    }

    /**
     * Opens the log; what an earlier run left is archived.
     *
     * @throws IOException where the directory cannot be made
     */
    public EventLog(Path directory, LogLimits limits) throws IOException {
        this.file = LogFile.open(directory, limits);
        this.queue = new ArrayBlockingQueue<>(limits.queue());
        this.writer = Thread.ofPlatform().name("event-log").daemon().start(this::run);
    }

    public void append(Reported reported) {
        offer(new Entry.Append(() -> json(reported)));
    }

    /** Appends what is costly to make; the supplier is called by the log's thread. */
    public void append(Supplier<Event> event) {
        offer(new Entry.Append(() -> json(Reported.of(event.get()))));
    }

    private void offer(Entry entry) {
        if (!queue.offer(entry) && lost.getAndIncrement() == 0) {
            LOG.log(System.Logger.Level.WARNING, "events come faster than the disk takes them; some are only counted");
        }
    }

    /** The contract's form, section 1.5: <code>{Tag: {event_id, …}}</code> in snake_case. */
    static JsonObject json(Reported reported) {
        JsonObject tagged = (JsonObject) Records.toSnakeJson(reported.event());
        String tag = tagged.members().firstEntry().getKey();
        JsonObject fields = (JsonObject) tagged.members().firstEntry().getValue();
        return JsonObject.of(
                tag,
                JsonObject.builder()
                        .put("event_id", new JsonString(reported.eventId()))
                        .putAll(fields.members())
                        .build());
    }

    /** Everything appended before this call and still kept, oldest first; close the stream. */
    public Stream<Json> read() {
        CompletableFuture<Stream<Json>> answer = new CompletableFuture<>();
        try {
            queue.put(new Entry.Barrier(answer));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Stream.empty();
        }
        return answer.join();
    }

    /** Bytes on disk, archives included. */
    public long bytes() {
        return file.bytes();
    }

    /** Events ever appended, also those that were only counted. */
    public long count() {
        return file.counted() + lost.get();
    }

    /** Whether events are only counted for want of disk. */
    public boolean countingOnly() {
        return file.countingOnly();
    }

    private void run() {
        List<Entry> batch = new ArrayList<>();
        boolean open = true;
        while (open) {
            try {
                batch.add(queue.take());
            } catch (InterruptedException e) {
                break; // nobody but a dying process interrupts this thread
            }
            queue.drainTo(batch, WRITE_AT_A_TIME);
            for (Entry entry : batch) {
                open &= handle(entry);
            }
            file.flush();
            batch.clear();
        }
        file.close();
    }

    private boolean handle(Entry entry) {
        switch (entry) {
            case Entry.Append(Supplier<Json> record) -> {
                try {
                    file.append(MessagePack.write(record.get()));
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "an event could not be logged", e);
                }
            }
            case Entry.Barrier(CompletableFuture<Stream<Json>> answer) -> {
                file.flush();
                answer.complete(file.read());
            }
            case Entry.End end -> {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        try {
            queue.put(new Entry.End());
            writer.join(2000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
