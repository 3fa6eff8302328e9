package skulk.kernel.rank;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.RunnerStatus;

/** A rank as diagnostics show it (contract section 12, {@code supervisorRunners}). */
public record RankReport(
        RankSpec spec,
        long pid,
        boolean alive,
        Optional<Integer> exitCode,
        RunnerStatus status,
        Instant statusSince,
        String waiting,
        List<Note> phases,
        List<Note> milestones,
        List<CommandId> inFlight,
        long completed,
        List<String> output) {

    /** A phase change or milestone. */
    public record Note(Instant at, String name, String detail) {}

    static RankReport of(Rank rank) {
        RankProcess process = rank.process();
        return new RankReport(
                rank.spec(),
                process.pid(),
                process.alive(),
                process.exitCode(),
                rank.status(),
                rank.statusSince(),
                rank.waiting(),
                notes(rank.recorder().phases()),
                notes(rank.recorder().milestones()),
                rank.inFlight(),
                rank.completed(),
                process.output());
    }

    private static List<Note> notes(List<FlightRecorder.Entry> entries) {
        return entries.stream().map(e -> new Note(e.at(), e.name(), e.detail())).toList();
    }
}
