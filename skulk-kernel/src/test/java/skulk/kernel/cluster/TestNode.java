package skulk.kernel.cluster;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.HardwareProbe;
import skulk.api.Membership;
import skulk.api.cluster.Download;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.NodeProfile;
import skulk.api.cluster.Shard;
import skulk.api.model.ModelId;
import skulk.kernel.event.EventLog;
import skulk.kernel.event.LogLimits;
import skulk.kernel.inference.Accounts;
import skulk.kernel.inference.Dispatcher;
import skulk.kernel.inference.Recovery;
import skulk.kernel.rank.RankHost;
import skulk.kernel.rank.Samples;

/** A whole node but for plugins, HTTP and storage: real agreement, real supervision, real rank processes with an engine that counts. */
public final class TestNode implements AutoCloseable {
    public final NodeId id;
    public final ClusterNode cluster;
    public final RankHost ranks;
    public final Dispatcher dispatcher;
    public final EventLog log;
    /** Whether requests may hope for another instance in the place of a lost one. */
    public volatile boolean replaceable;

    private Reachability reachability;
    public final List<skulk.api.operation.Operation.Trace> traces = new java.util.concurrent.CopyOnWriteArrayList<>();

    /** Requests end with their instance. */
    public TestNode(String name, Membership membership, Path home) throws IOException {
        this(name, membership, home, new Recovery.Policy(false, Duration.ZERO, 1));
    }

    public TestNode(String name, Membership membership, Path home, Recovery.Policy resume) throws IOException {
        id = new NodeId(name);
        log = new EventLog(home.resolve(name), LogLimits.DEFAULT);
        cluster = new ClusterNode(id, log, () -> List.of(new Still()));
        Supervisor supervisor = new Supervisor(
                id,
                cluster,
                new Supervisor.Settings(
                        (instance, shard) -> Map.of(),
                        () -> List.of("127.0.0.1"),
                        (from, message) -> data(from, message),
                        view -> viewed(view),
                        event -> {},
                        (from, endpoint) -> reachability.heard(from, endpoint)));
        reachability = new Reachability(id, cluster, () -> 52415);
        ranks = new RankHost(() -> Samples.launch(home.resolve(name), Samples.quick()), supervisor);
        dispatcher = new Dispatcher(
                new Dispatcher.Wiring(
                        id,
                        cluster::view,
                        ranks,
                        cluster.calls(),
                        cluster::send,
                        lost -> replaceable,
                        id -> cluster.state().deleted(id)),
                new Accounts(id, cluster::reportLater, log::append, reading -> {}),
                new skulk.kernel.inference.Tracer(cluster::view, traces::add),
                new Dispatcher.Limits(Duration.ofSeconds(120), 264, resume));
        supervisor.drive(ranks, new HaveAll(supervisor));
        cluster.join(membership, new NodeProfile(id, name, "1", List.of("127.0.0.1"), 0, false), supervisor);
    }

    private void data(NodeId from, Message.Data message) {
        dispatcher.data(from, message);
    }

    private void viewed(skulk.api.cluster.ClusterView view) {
        dispatcher.viewChanged(view);
        reachability.viewChanged(view);
    }

    /** Every model is here already. */
    private final class HaveAll implements ModelFiles {
        private final Supervisor supervisor;

        HaveAll(Supervisor supervisor) {
            this.supervisor = supervisor;
        }

        @Override
        public void ensure(Shard shard) {
            supervisor.downloaded(new Download.DownloadCompleted(
                    id, shard, "/models", shard.modelCard().storageSize(), true));
        }

        @Override
        public Optional<Loadable> ready(Shard shard) {
            return Optional.of(new Loadable(Path.of("."), Map.of(), Map.of()));
        }

        @Override
        public void release(ModelId model) {}
    }

    /** Tells every second that the node is there, and nothing else. */
    private static final class Still implements HardwareProbe {
        @Override
        public String name() {
            return "still";
        }

        @Override
        public NodeInfo read() {
            return blank();
        }
    }

    /** What a node tells of itself when nothing is known. */
    static NodeInfo blank() {
        return new NodeInfo(
                Instant.EPOCH,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty());
    }

    @Override
    public void close() {
        ranks.close();
        reachability.close();
        cluster.close();
        log.close();
    }
}
