package skulk.kernel.rank;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The last phase changes and milestones of a rank (contract section 12). Safe for use by several threads. */
final class FlightRecorder {
    static final int PHASES = 128;
    static final int MILESTONES = 32;

    private final Deque<Entry> phases = new ArrayDeque<>();
    private final Deque<Entry> milestones = new ArrayDeque<>();

    /** @param name of the phase or milestone */
    record Entry(Instant at, String name, String detail) {}

    synchronized void phase(Instant at, String phase, String detail) {
        add(phases, new Entry(at, phase, detail), PHASES);
    }

    synchronized void milestone(Instant at, String name, String detail) {
        add(milestones, new Entry(at, name, detail), MILESTONES);
    }

    synchronized List<Entry> phases() {
        return new ArrayList<>(phases);
    }

    synchronized List<Entry> milestones() {
        return new ArrayList<>(milestones);
    }

    private static void add(Deque<Entry> entries, Entry entry, int limit) {
        entries.addLast(entry);
        if (entries.size() > limit) {
            entries.removeFirst();
        }
    }
}
