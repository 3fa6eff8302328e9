package skulk.kernel;

import java.io.PrintStream;

/** How far a transfer is: a bar that redraws itself on a terminal, else a plain line at each tenth. Used by one thread. */
final class ProgressLine implements AutoCloseable {
    private static final int WIDTH = 30;
    private static final long REDRAW_NANOS = 100_000_000;
    private static final long PARTS = 10_000;

    private final String what;
    private final PrintStream out;
    private final boolean terminal;
    private final long begin = System.nanoTime();
    private long first = -1;
    private long drawn;
    private int tenth = -1;

    ProgressLine(String what, PrintStream out, boolean terminal) {
        this.what = what;
        this.out = out;
        this.terminal = terminal;
    }

    static ProgressLine of(String what, boolean terminal) {
        return new ProgressLine(what, Terminal.out(), terminal);
    }

    /** @param total 0 where it is not known yet */
    void show(long done, long total) {
        if (total <= 0) {
            return;
        }
        if (first < 0) {
            first = done;
        }
        show(done, total, true);
    }

    /** How far it is, 0 to 1, where sizes are not known. */
    void show(double fraction) {
        show(Math.round(fraction * PARTS), PARTS, false);
    }

    private void show(long done, long total, boolean bytes) {
        String numbers = bytes ? numbers(done, total) : percent(done, total);
        if (terminal) {
            long now = System.nanoTime();
            if (done < total && drawn != 0 && now - drawn < REDRAW_NANOS) {
                return;
            }
            drawn = now;
            out.print("\r" + bar(done, total, numbers) + "\u001b[K");
            out.flush();
        } else if (done * 10 / total > tenth) {
            tenth = (int) (done * 10 / total);
            out.println(what + ' ' + numbers);
        }
    }

    private String bar(long done, long total, String numbers) {
        int filled = (int) (WIDTH * done / total);
        return "%s [%s%s] %s".formatted(what, "#".repeat(filled), "-".repeat(WIDTH - filled), numbers);
    }

    private static String percent(long done, long total) {
        return "%3d %%".formatted(100 * done / total);
    }

    private String numbers(long done, long total) {
        double seconds = (System.nanoTime() - begin) / 1e9;
        double rate = seconds > 0 ? (done - first) / seconds : 0;
        return "%s, %s of %s, %s/s".formatted(percent(done, total), size(done), size(total), size((long) rate));
    }

    /** Bytes for people. */
    static String size(long bytes) {
        if (bytes < 1_000_000) {
            return "%.0f kB".formatted(bytes / 1e3);
        }
        return bytes < 1_000_000_000 ? "%.1f MB".formatted(bytes / 1e6) : "%.2f GB".formatted(bytes / 1e9);
    }

    /** Ends the line that the bar is on. */
    @Override
    public void close() {
        if (terminal && drawn != 0) {
            out.println();
        }
    }
}
