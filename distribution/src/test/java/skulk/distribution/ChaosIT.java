package skulk.distribution;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.fake.Commands;
import skulk.api.json.JsonObject;
import skulk.distribution.ChaosReport.Kind;
import skulk.distribution.TestCluster.Stream;

/**
 * Three nodes with two placements under random faults and load. After each fault everything is as it was: no request hangs, no placement is lost or doubled, all
 * nodes hold the same state. {@code -Dchaos.rounds}, {@code -Dchaos.seed} and {@code -Dchaos.faults} choose how long and which; {@code ./skulk chaos} runs it. The report goes to
 * {@code target/chaos.txt}.
 */
class ChaosIT {
    static final int PLACEMENTS = 2;
    private static final int ROUNDS = Integer.getInteger("chaos.rounds", 2);
    /** Names of faults, with commas between; none = all. */
    private static final String KINDS = System.getProperty("chaos.faults", "");

    private static final long SEED = Long.getLong("chaos.seed", 4);
    /** Through each node, so that each placement has a stream of each node: the least busy one is chosen. */
    private static final int STREAMS = PLACEMENTS;

    private static final Duration HANG = Duration.ofSeconds(90);
    private static final Duration CONVERGE = Duration.ofSeconds(90);
    /** Strikes that the ranks of an instance bear within {@link #MEMORY}. */
    private static final int STRIKES = 2;

    /** A minute, and what it takes until a stopped rank is given up. */
    private static final Duration MEMORY = Duration.ofSeconds(75);

    private static final List<String> NAMES = List.of("a", "b", "c");

    @TempDir
    private Path temp;

    private final Random random = new Random(SEED);
    private final ChaosReport report = new ChaosReport(ROUNDS, SEED);
    private final List<Strike> strikes = new ArrayList<>();
    private final List<Path> disks = new ArrayList<>();
    private Optional<Namespaces> machines = Optional.empty();
    private TestCluster cluster;

    /** What is done to the cluster. */
    enum Fault {
        KILL_RANK,
        STOP_RANK,
        KILL_NODE,
        KILL_MASTER,
        KILL_TWO,
        STOP_NODE,
        CUT,
        LOSE_ONE_WAY,
        FILL_DISK;

        /** Whether it lasts until it is taken back; else it is done in a moment. */
        boolean lasts() {
            return this == STOP_NODE || this == CUT || this == LOSE_ONE_WAY;
        }
    }

    private List<Fault> possible() throws Exception {
        List<Fault> faults = new ArrayList<>(List.of(Fault.values()));
        if (ranks().isEmpty()) {
            faults.removeAll(List.of(Fault.KILL_RANK, Fault.STOP_RANK));
        }
        if (machines.isEmpty()) {
            faults.removeAll(List.of(Fault.CUT, Fault.LOSE_ONE_WAY));
        }
        if (disks.isEmpty()) {
            faults.remove(Fault.FILL_DISK);
        }
        faults.removeIf(fault -> !KINDS.isEmpty() && !KINDS.contains(fault.name()));
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
            for (int round = 1; round <= ROUNDS; round++) {
                List<Fault> faults = possible();
                round(round, faults.get(random.nextInt(faults.size())));
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
        cluster.start(name, "--set", "requests.resume=" + goesOn(name));
    }

    private static boolean goesOn(String name) {
        return !name.equals("c");
    }

    /** A rank of an instance that was killed or stopped. */
    private record Strike(String instance, long at) {}

    /** A stream with where it came in and the placement that it began on. */
    private record Client(String entry, Stream stream, String instance) {}

    /**
     * What a fault struck.
     *
     * @param nodes that do not work, or that their clients do not hear, meanwhile
     * @param ends nodes whose way to another does not work: their streams from there pause
     * @param instances that do not work
     * @param over whether what has to be gone is gone
     */
    private record Struck(Set<String> nodes, Set<String> ends, Set<String> instances, Undo undo, Over over) {
        static Struck nodes(List<String> names, Set<String> instances, Undo undo) {
            return new Struck(Set.copyOf(names), Set.of(), instances, undo, () -> true);
        }
    }

    /** Takes a fault back, as far as it is not a death. */
    private interface Undo {
        Undo NONE = () -> {};

        void run() throws Exception;
    }

    private interface Over {
        boolean holds();
    }

    private void round(int number, Fault fault) throws Exception {
        List<Client> clients = clients();
        long begin = System.nanoTime();
        Struck struck = inflict(fault);
        // how long a fault lasts is part of what is random
        Thread.sleep(fault.lasts() ? 500 + random.nextInt(8000) : random.nextInt(1500));
        struck.undo().run();
        for (String name : NAMES) {
            if (!cluster.runs(name)) {
                start(name);
            }
        }
        long ended = System.nanoTime();
        boolean converged = converges(number, fault, struck.over());
        if (converged) {
            report.time(Kind.RECOVERY, fault, Duration.ofNanos(System.nanoTime() - ended));
        }
        for (Client client : clients) {
            settle(number, fault, client, struck, begin);
        }
        // what the streams brought to light settles as well
        converged = converged && converges(number, fault, struck.over());
        report.note("round %d %s of %s %s: %s after %.1f s"
                .formatted(
                        number,
                        fault,
                        struck.nodes(),
                        struck.instances(),
                        converged ? "as before" : "NOT as before",
                        (System.nanoTime() - begin) / 1e9));
    }

    private List<Client> clients() throws Exception {
        List<Client> clients = new ArrayList<>();
        for (String name : NAMES) {
            for (int i = 0; i < STREAMS; i++) {
                Stream stream = new Stream(cluster.node(name), TestCluster.question(1500, true));
                String id = stream.awaitLines(3).id();
                clients.add(new Client(name, stream, TestCluster.instanceOf(cluster.node(name), id)));
            }
        }
        return clients;
    }

    private Struck inflict(Fault fault) throws Exception {
        int victim = random.nextInt(NAMES.size());
        String name = NAMES.get(victim);
        SkulkProcess node = cluster.node(name);
        return switch (fault) {
            case KILL_RANK, STOP_RANK -> strikeRank(fault == Fault.KILL_RANK ? "KILL" : "STOP");
            case KILL_NODE -> kill(List.of(name));
            case KILL_MASTER -> kill(List.of(master()));
            case KILL_TWO -> {
                String master = master();
                List<String> others =
                        NAMES.stream().filter(n -> !n.equals(master)).toList();
                yield kill(List.of(master, others.get(random.nextInt(others.size()))));
            }
            case STOP_NODE -> {
                Set<String> instances = instancesOn(List.of(name));
                TestCluster.signal(node.pid(), "STOP");
                yield Struck.nodes(List.of(name), instances, () -> TestCluster.signal(node.pid(), "CONT"));
            }
            case CUT -> {
                Set<String> instances = instancesOn(List.of(name));
                machines.orElseThrow().cut(victim);
                yield Struck.nodes(
                        List.of(name), instances, () -> machines.orElseThrow().heal(victim));
            }
            case LOSE_ONE_WAY -> {
                int deaf = (victim + 1) % NAMES.size();
                Set<String> ends = Set.of(name, NAMES.get(deaf));
                Set<String> instances = instancesOn(List.copyOf(ends));
                machines.orElseThrow().lose(victim, deaf);
                Undo undo = () -> machines.orElseThrow().find(victim, deaf);
                yield new Struck(Set.of(), ends, instances, undo, () -> true);
            }
            case FILL_DISK -> {
                Path filler = disks.get(victim).resolve("filler");
                long free = Files.getFileStore(disks.get(victim)).getUsableSpace();
                Files.write(filler, new byte[(int) free]);
                yield Struck.nodes(List.of(), Set.of(), () -> Files.delete(filler));
            }
        };
    }

    /** Ranks that may be struck: an instance whose rank fails for the third time within a minute is deleted, as promised. */
    private List<JsonObject> ranks() throws Exception {
        List<JsonObject> ranks = new ArrayList<>();
        for (SkulkProcess each : cluster.alive()) {
            each.json("/v1/diagnostics/node")
                    .array("supervisorRunners")
                    .orElseThrow()
                    .forEach(rank -> ranks.add((JsonObject) rank));
        }
        long since = System.nanoTime() - MEMORY.toNanos();
        ranks.removeIf(rank -> strikes.stream()
                        .filter(strike -> strike.at - since > 0 && strike.instance.equals(instance(rank)))
                        .count()
                >= STRIKES);
        return ranks;
    }

    private static String instance(JsonObject rank) {
        return rank.string("instanceId").orElseThrow();
    }

    private Struck strikeRank(String signal) throws Exception {
        List<JsonObject> ranks = ranks();
        JsonObject rank = ranks.get(random.nextInt(ranks.size()));
        strikes.add(new Strike(instance(rank), System.nanoTime()));
        long pid = rank.integer("pid").orElseThrow();
        TestCluster.signal(pid, signal);
        return new Struck(
                Set.of(),
                Set.of(),
                Set.of(instance(rank)),
                Undo.NONE,
                () -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
    }

    private Struck kill(List<String> names) throws Exception {
        Set<String> instances = instancesOn(names);
        for (String name : names) {
            cluster.node(name).kill();
        }
        return Struck.nodes(names, instances, Undo.NONE);
    }

    private Set<String> instancesOn(List<String> names) throws Exception {
        Set<String> found = new HashSet<>();
        for (String name : names) {
            found.addAll(TestCluster.instancesOn(cluster.node(name)));
        }
        return found;
    }

    private String master() throws Exception {
        String id = TestCluster.master(cluster.alive().getFirst());
        for (String name : NAMES) {
            if (TestCluster.id(cluster.node(name)).equals(id)) {
                return name;
            }
        }
        throw new IllegalStateException("no master");
    }

    /** Whether all nodes come to know each other, the same two placements, and that these serve. */
    private boolean converges(int number, Fault fault, Over over) {
        try {
            await().pollInterval(Duration.ofMillis(100))
                    .atMost(CONVERGE)
                    .ignoreExceptions()
                    .until(() -> over.holds()
                            && TestCluster.agree(cluster.alive())
                            && placed().equals(Set.of(PLACEMENTS))
                            && TestCluster.serving(cluster.alive()));
            return true;
        } catch (ConditionTimeoutException e) {
            try {
                Set<Integer> counts = placed();
                report.disagreement(counts);
                report.note("round %d %s: no agreement; placements seen %s".formatted(number, fault, counts));
            } catch (Exception unreachable) {
                report.note("round %d %s: no agreement, and %s".formatted(number, fault, unreachable));
            }
            for (String name : NAMES) {
                report.note("---- state and log of %s\n%s\n%s"
                        .formatted(name, state(name), cluster.node(name).log()));
            }
            return false;
        }
    }

    private String state(String name) {
        try {
            return cluster.node(name).get("/state").body();
        } catch (IOException e) {
            return e.toString();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return e.toString();
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

    private void settle(int number, Fault fault, Client client, Struck struck, long begin) {
        Stream stream = client.stream();
        try {
            stream.awaitEnd(HANG);
            Duration last = Duration.ofNanos(stream.lastHeard() - begin);
            boolean behind = struck.nodes().contains(client.entry());
            if (stream.error().isPresent()) {
                report.time(behind ? Kind.BEHIND : goesOn(client.entry()) ? Kind.GAVE_UP : Kind.ERROR, fault, last);
                report.note("round %d %s: through %s on %s after %.2f s: %s"
                        .formatted(
                                number,
                                fault,
                                client.entry(),
                                client.instance(),
                                last.toMillis() / 1e3,
                                stream.error().get()));
            } else if (!behind) {
                boolean affected = struck.instances().contains(client.instance())
                        || struck.ends().contains(client.entry());
                report.time(affected ? Kind.PAUSE : Kind.UNAFFECTED, fault, stream.longestPause());
            }
        } catch (TimeoutException e) {
            report.hangs("round %d %s: the stream through %s hangs".formatted(number, fault, client.entry()));
        } catch (ExecutionException e) {
            report.cut(); // the node that it came through is gone
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
