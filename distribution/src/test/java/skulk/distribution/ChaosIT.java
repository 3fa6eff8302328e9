package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.fake.Commands;
import skulk.distribution.TestCluster.Stream;

/**
 * Three nodes with two placements under random faults and load. After each fault everything is as it was: no request hangs, no placement is lost or doubled, all
 * nodes hold the same state. {@code -Dchaos.rounds} and {@code -Dchaos.seed} choose how long and which; {@code ./skulk chaos} runs it. The report goes to
 * {@code target/chaos.txt}.
 */
class ChaosIT {
    private static final int ROUNDS = Integer.getInteger("chaos.rounds", 2);
    private static final long SEED = Long.getLong("chaos.seed", 4);
    private static final int PLACEMENTS = 2;
    private static final Duration HANG = Duration.ofSeconds(90);
    private static final Duration CONVERGE = Duration.ofSeconds(90);
    private static final List<String> NAMES = List.of("a", "b", "c");

    @TempDir
    private Path temp;

    private final Random random = new Random(SEED);
    private final Report report = new Report();
    private final List<Path> disks = new ArrayList<>();
    private Optional<Namespaces> machines = Optional.empty();
    private TestCluster cluster;

    /** What is done to the cluster. */
    private enum Fault {
        KILL_RANK,
        STOP_RANK,
        KILL_NODE,
        KILL_MASTER,
        KILL_TWO,
        STOP_NODE,
        CUT,
        LOSE_ONE_WAY,
        FILL_DISK
    }

    private List<Fault> possible() {
        List<Fault> faults = new ArrayList<>(List.of(Fault.values()));
        if (machines.isEmpty()) {
            faults.removeAll(List.of(Fault.CUT, Fault.LOSE_ONE_WAY));
        }
        if (disks.isEmpty()) {
            faults.remove(Fault.FILL_DISK);
        }
        return faults;
    }

    @Test
    void faultsInAnyOrderLeaveEverythingAsItWas() throws Exception {
        try {
            machines = Namespaces.available() ? Optional.of(Namespaces.make(NAMES.size())) : Optional.empty();
            cluster = new TestCluster(temp, machines);
            for (String name : NAMES) {
                disk(name);
                start(name);
            }
            TestCluster.awaitAgreement(cluster.alive());
            for (int i = 0; i < PLACEMENTS; i++) {
                cluster.place(List.of(cluster.node(NAMES.get(i))), "Pipeline");
            }
            List<Fault> faults = possible();
            for (int round = 1; round <= ROUNDS; round++) {
                Fault fault = faults.get(random.nextInt(faults.size()));
                round(round, fault);
            }
        } finally {
            cluster.close();
            machines.ifPresent(Namespaces::close);
            disks.forEach(disk -> Commands.succeeds("umount", "-l", disk.toString()));
            report.write();
        }
        report.check();
    }

    /** Homes on file systems that can be filled, where this process may mount them. */
    private void disk(String name) throws IOException {
        Path home = Files.createDirectories(temp.resolve(name));
        if (Commands.succeeds("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", home.toString())) {
            disks.add(home);
        }
    }

    /** Requests through c end with their instance, those through the others go on: both promises are measured. */
    private void start(String name) throws Exception {
        cluster.start(name, "--set", "requests.resume=" + !name.equals("c"));
    }

    private void round(int number, Fault fault) throws Exception {
        Map<String, Stream> streams = new LinkedHashMap<>();
        for (String name : NAMES) {
            streams.put(name, new Stream(cluster.node(name), TestCluster.question(1200, true)));
        }
        for (Stream stream : streams.values()) {
            stream.awaitLines(5);
        }
        long begin = System.nanoTime();
        Undo undo = inflict(fault);
        Thread.sleep(500 + random.nextInt(8000)); // how long a fault lasts is part of what is random
        undo.run();
        for (String name : NAMES) {
            if (!cluster.runs(name)) {
                start(name);
            }
        }
        streams.forEach(
                (name, stream) -> settle(number, fault, name, stream, begin)); // a fault may show only through them
        boolean converged = converges(number, fault);
        report.recovered(number, fault, Duration.ofNanos(System.nanoTime() - begin), converged);
    }

    /** Takes a fault back, as far as it is not a death. */
    private interface Undo {
        void run() throws Exception;
    }

    private Undo inflict(Fault fault) throws Exception {
        int victim = random.nextInt(NAMES.size());
        SkulkProcess node = cluster.node(NAMES.get(victim));
        switch (fault) {
            case KILL_RANK, STOP_RANK -> {
                List<Long> ranks = new ArrayList<>();
                for (SkulkProcess each : cluster.alive()) {
                    ranks.addAll(TestCluster.ranks(each));
                }
                TestCluster.signal(ranks.get(random.nextInt(ranks.size())), fault == Fault.KILL_RANK ? "KILL" : "STOP");
                return () -> {};
            }
            case KILL_NODE -> node.kill();
            case KILL_MASTER -> master().kill();
            case KILL_TWO -> {
                SkulkProcess master = master();
                SkulkProcess other = cluster.alive().stream()
                        .filter(n -> n != master)
                        .toList()
                        .get(random.nextInt(NAMES.size() - 1));
                master.kill();
                other.kill();
            }
            case STOP_NODE -> {
                TestCluster.signal(node.pid(), "STOP");
                return () -> TestCluster.signal(node.pid(), "CONT");
            }
            case CUT -> {
                machines.orElseThrow().cut(victim);
                return () -> machines.orElseThrow().heal(victim);
            }
            case LOSE_ONE_WAY -> {
                int deaf = (victim + 1) % NAMES.size();
                machines.orElseThrow().lose(victim, deaf);
                return () -> machines.orElseThrow().find(victim, deaf);
            }
            case FILL_DISK -> {
                Path filler = disks.get(victim).resolve("filler");
                long free = Files.getFileStore(disks.get(victim)).getUsableSpace();
                Files.write(filler, new byte[(int) free]);
                return () -> Files.delete(filler);
            }
        }
        return () -> {};
    }

    private SkulkProcess master() throws Exception {
        String id = cluster.alive()
                .getFirst()
                .json("/v1/diagnostics/node")
                .object("runtime")
                .orElseThrow()
                .string("masterNodeId")
                .orElseThrow();
        for (SkulkProcess node : cluster.alive()) {
            if (TestCluster.id(node).equals(id)) {
                return node;
            }
        }
        throw new IllegalStateException("no master");
    }

    /** Whether all nodes come to know each other, the same two placements, and that these serve. */
    private boolean converges(int number, Fault fault) {
        try {
            await().pollInterval(Duration.ofMillis(100))
                    .atMost(CONVERGE)
                    .ignoreExceptions()
                    .until(() -> TestCluster.agree(cluster.alive())
                            && placed().equals(Set.of(PLACEMENTS))
                            && TestCluster.serving(cluster.alive()));
            return true;
        } catch (ConditionTimeoutException e) {
            try {
                Set<Integer> counts = placed();
                if (counts.size() > 1) {
                    report.divergent++;
                } else if (counts.stream().anyMatch(c -> c < PLACEMENTS)) {
                    report.lost++;
                } else if (counts.stream().anyMatch(c -> c > PLACEMENTS)) {
                    report.doubled++;
                }
                report.note("round %d %s: no agreement; placements seen %s".formatted(number, fault, counts));
            } catch (Exception unreachable) {
                report.note("round %d %s: no agreement, and %s".formatted(number, fault, unreachable));
            }
            for (String name : NAMES) {
                report.note("---- log of " + name + "\n" + cluster.node(name).log());
            }
            return false;
        }
    }

    /** The numbers of placements that nodes see; where all see the same ones, one number. */
    private Set<Integer> placed() throws Exception {
        Set<Set<String>> seen = new HashSet<>();
        for (SkulkProcess node : cluster.alive()) {
            seen.add(TestCluster.instances(node));
        }
        Set<Integer> counts = new HashSet<>();
        seen.forEach(s -> counts.add(s.size()));
        return seen.size() > 1 && counts.size() == 1
                ? Set.of(-1, counts.iterator().next())
                : counts;
    }

    private void settle(int number, Fault fault, String name, Stream stream, long begin) {
        try {
            stream.awaitEnd(HANG);
            if (stream.error().isPresent()) {
                report.errors.add(Duration.ofNanos(stream.lastHeard() - begin));
            } else {
                report.pauses.add(stream.longestPause());
            }
        } catch (TimeoutException e) {
            report.hangs++;
            report.note("round %d %s: the stream through %s hangs".formatted(number, fault, name));
        } catch (ExecutionException e) {
            report.cut++; // the node that it came through is gone
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** What came of it all. */
    private static final class Report {
        private final List<Duration> errors = new ArrayList<>();
        private final List<Duration> pauses = new ArrayList<>();
        private final List<Duration> recoveries = new ArrayList<>();
        private final List<String> notes = new ArrayList<>();
        private int hangs;
        private int lost;
        private int doubled;
        private int divergent;
        private int cut;

        void recovered(int round, Fault fault, Duration time, boolean converged) {
            if (converged) {
                recoveries.add(time);
            }
            note("round %d %s: %s after %.1f s"
                    .formatted(round, fault, converged ? "as before" : "NOT as before", time.toMillis() / 1e3));
        }

        void note(String line) {
            notes.add(line);
            System.getLogger(ChaosIT.class.getName())
                    .log(System.Logger.Level.INFO, line.lines().findFirst().orElse(""));
        }

        void write() throws IOException {
            List<String> lines = new ArrayList<>();
            lines.add("%d rounds, seed %d: %d hangs, %d lost, %d doubled, %d divergent"
                    .formatted(ROUNDS, SEED, hangs, lost, doubled, divergent));
            lines.add(percentiles("fault to error", errors));
            lines.add(percentiles("longest pause of streams that ended well", pauses));
            lines.add(percentiles(
                    "fault to everything as before, its own time and that of the streams included", recoveries));
            lines.add(cut + " streams went with the node that they came through");
            lines.addAll(notes);
            Files.write(Path.of("target", "chaos.txt"), lines);
            lines.stream()
                    .limit(5)
                    .forEach(line -> System.getLogger(ChaosIT.class.getName()).log(System.Logger.Level.INFO, line));
        }

        private static String percentiles(String what, List<Duration> times) {
            List<Duration> sorted = times.stream().sorted().toList();
            if (sorted.isEmpty()) {
                return what + ": none";
            }
            return "%s: p50 %.2f s, p90 %.2f s, p99 %.2f s, most %.2f s, of %d"
                    .formatted(
                            what,
                            at(sorted, 0.5),
                            at(sorted, 0.9),
                            at(sorted, 0.99),
                            sorted.getLast().toMillis() / 1e3,
                            sorted.size());
        }

        private static double at(List<Duration> sorted, double share) {
            return sorted.get((int) Math.min(sorted.size() - 1L, (long) (share * sorted.size())))
                            .toMillis()
                    / 1e3;
        }

        void check() {
            assertEquals(
                    List.of(0, 0, 0, 0),
                    List.of(hangs, lost, doubled, divergent),
                    () -> "hangs, lost, doubled, divergent: " + String.join("\n", notes));
            assertEquals(ROUNDS, recoveries.size(), () -> String.join("\n", notes));
        }
    }
}
