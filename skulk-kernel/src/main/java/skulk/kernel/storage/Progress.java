package skulk.kernel.storage;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import skulk.api.cluster.Download;
import skulk.api.cluster.Memory;
import skulk.api.model.ModelFile;

/**
 * How far one transfer is, and when that is worth telling: each 5 % and at least 1 s apart, else every 30 s (contract section 1.4). Safe for use by
 * several threads.
 */
final class Progress {
    private static final long SECOND = 1_000_000_000L;
    private static final long HEARTBEAT = 30 * SECOND;
    /** Speed is averaged over about this many seconds. */
    private static final double MEMORY_SECONDS = 5;

    private final LongSupplier nanos;
    private final Map<String, Long> sizes = new HashMap<>();
    private final Map<String, Long> have = new HashMap<>();
    private long total;
    private long session;
    private int completed;
    private double speed;
    private long speedSince;
    private long speedBytes;
    private long toldAt;
    private long toldBytes;
    private boolean news;

    Progress(LongSupplier nanos) {
        this.nanos = nanos;
        this.toldAt = nanos.getAsLong();
        this.speedSince = toldAt;
    }

    /** Begins with what a source lists, which is news at once; what was counted of another source's attempt is forgotten, the session's bytes are not. */
    synchronized void begin(Wanted wanted) {
        sizes.clear();
        have.clear();
        completed = 0;
        news = true;
        total = wanted.totalBytes();
        for (ModelFile file : wanted.manifest().files()) {
            sizes.put(file.path(), wanted.bytes(file));
            have.put(file.path(), 0L);
        }
    }

    synchronized void resumed(ModelFile file, long bytes) {
        have.put(file.path(), bytes);
    }

    /** After a broken attempt: unfinished blocks do not count any more. */
    synchronized void rewound(ModelFile file, long bytes) {
        have.put(file.path(), bytes);
    }

    synchronized void received(ModelFile file, int bytes) {
        have.merge(file.path(), (long) bytes, Long::sum);
        session += bytes;
        speedBytes += bytes;
    }

    synchronized void finished(ModelFile file) {
        have.put(file.path(), sizes.get(file.path()));
        completed++;
    }

    private long downloaded() {
        return have.values().stream().mapToLong(Long::longValue).sum();
    }

    synchronized long totalBytes() {
        return total;
    }

    synchronized long downloadedBytes() {
        return Math.min(total, downloaded());
    }

    /** Whether there is news; the caller then tells {@link #snapshot()}. Called about once a second. */
    synchronized boolean due() {
        long now = nanos.getAsLong();
        measure(now);
        long since = now - toldAt;
        boolean step = since >= SECOND && (downloaded() - toldBytes) * 20 >= total && total > 0;
        if (news || step || since >= HEARTBEAT) {
            news = false;
            toldAt = now;
            toldBytes = downloaded();
            return true;
        }
        return false;
    }

    private void measure(long now) {
        double seconds = (now - speedSince) / 1e9;
        if (seconds >= 0.5) {
            double weight = Math.min(1, seconds / MEMORY_SECONDS);
            speed = speed == 0 ? speedBytes / seconds : speed * (1 - weight) + speedBytes / seconds * weight;
            speedSince = now;
            speedBytes = 0;
        }
    }

    synchronized Download.Progress snapshot() {
        Map<String, Download.FileProgress> files = new HashMap<>();
        sizes.forEach((path, size) -> files.put(
                path, new Download.FileProgress(new Memory(size), new Memory(Math.min(size, have.get(path))))));
        long done = downloadedBytes();
        return new Download.Progress(
                new Memory(total),
                new Memory(done),
                new Memory(session),
                completed,
                sizes.size(),
                speed,
                speed > 0 ? (long) ((total - done) / speed * 1000) : 0,
                files);
    }
}
