package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import skulk.distribution.ChaosIT.Fault;

/** What came of rounds of chaos: what must never happen, and how long everything took, by kind of fault. */
final class ChaosReport {
    private final int rounds;
    private final long seed;
    private final Map<Fault, Map<Kind, List<Duration>>> times = new EnumMap<>(Fault.class);
    private final List<String> notes = new ArrayList<>();
    private int hangs;
    private int lost;
    private int doubled;
    private int divergent;
    private int cut;

    /** What is timed. */
    enum Kind {
        ERROR("fault to error, where requests do not go on"),
        GAVE_UP("fault to error, where a request should have gone on"),
        BEHIND("fault to error, of clients of a node that was itself stopped or cut off"),
        PAUSE("longest pause of streams that went on"),
        UNAFFECTED("longest pause of streams that had nothing to do with the fault"),
        RECOVERY("end of the fault to everything as before");

        private final String words;

        Kind(String words) {
            this.words = words;
        }
    }

    ChaosReport(int rounds, long seed) {
        this.rounds = rounds;
        this.seed = seed;
    }

    void time(Kind kind, Fault fault, Duration time) {
        times.computeIfAbsent(fault, f -> new EnumMap<>(Kind.class))
                .computeIfAbsent(kind, k -> new ArrayList<>())
                .add(time);
    }

    void hangs(String what) {
        hangs++;
        note(what);
    }

    void cut() {
        cut++;
    }

    /** No agreement came. @param counts how many placements nodes see */
    void disagreement(Iterable<Integer> counts) {
        int least = Integer.MAX_VALUE;
        int most = Integer.MIN_VALUE;
        for (int count : counts) {
            least = Math.min(least, count);
            most = Math.max(most, count);
        }
        if (least != most) {
            divergent++;
        } else if (least < ChaosIT.PLACEMENTS) {
            lost++;
        } else if (least > ChaosIT.PLACEMENTS) {
            doubled++;
        }
    }

    void note(String line) {
        notes.add(line);
        System.getLogger(ChaosIT.class.getName())
                .log(System.Logger.Level.INFO, line.lines().findFirst().orElse(""));
    }

    void write() throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("%d rounds, seed %d: %d hangs, %d lost, %d doubled, %d divergent; %d streams went with their node"
                .formatted(rounds, seed, hangs, lost, doubled, divergent, cut));
        for (Kind kind : Kind.values()) {
            lines.add(kind.words);
            for (Fault fault : Fault.values()) {
                List<Duration> sample = of(fault, kind);
                if (!sample.isEmpty()) {
                    lines.add("  %-12s %s".formatted(fault, percentiles(sample)));
                }
            }
        }
        for (Fault fault : Fault.values()) {
            for (Kind kind : Kind.values()) {
                lines.add("raw %s %s %s"
                        .formatted(
                                fault,
                                kind,
                                of(fault, kind).stream().map(Duration::toMillis).toList()));
            }
        }
        lines.addAll(notes);
        Files.write(Path.of("target", "chaos.txt"), lines);
    }

    private List<Duration> of(Fault fault, Kind kind) {
        return times.getOrDefault(fault, Map.of()).getOrDefault(kind, List.of());
    }

    private static String percentiles(List<Duration> times) {
        List<Duration> sorted = times.stream().sorted().toList();
        return "p50 %5.2f s, p90 %5.2f s, most %5.2f s, of %d"
                .formatted(at(sorted, 0.5), at(sorted, 0.9), sorted.getLast().toMillis() / 1e3, sorted.size());
    }

    private static double at(List<Duration> sorted, double share) {
        return sorted.get((int) Math.min(sorted.size() - 1L, (long) (share * sorted.size())))
                        .toMillis()
                / 1e3;
    }

    void check() {
        int recovered = java.util.Arrays.stream(Fault.values())
                .mapToInt(f -> of(f, Kind.RECOVERY).size())
                .sum();
        assertEquals(
                List.of(0, 0, 0, 0),
                List.of(hangs, lost, doubled, divergent),
                () -> "hangs, lost, doubled, divergent: " + String.join("\n", notes));
        assertEquals(rounds, recovered, () -> String.join("\n", notes));
    }
}
