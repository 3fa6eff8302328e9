package skulk.kernel.operation;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.cluster.Event;
import skulk.kernel.cluster.Replanning.Retry;
import skulk.kernel.cluster.Wishes;
import skulk.kernel.config.Keys;

/**
 * Every operation and who carries it out: the switch has no default, so that a new operation does not compile until somebody does. Safe for use by several threads;
 * calls block until the answer is there.
 */
public final class Operations {
    private final Kit kit;
    private final Placing placing;
    private final Models models;
    private final Peers peers;
    private final Diagnostics diagnostics;
    private final Traces traces;
    private final NodeLife life;
    private final ApiKeys keys;

    public Operations(Kit kit) {
        this.kit = kit;
        this.placing = new Placing(kit);
        this.peers = new Peers(kit);
        this.models = new Models(kit, peers);
        this.diagnostics = new Diagnostics(kit, peers);
        this.traces = new Traces(kit, peers);
        this.life = new NodeLife(kit, peers);
        this.keys = new ApiKeys(kit, peers);
        new KeyUsage(kit);
    }

    /**
     * Places elsewhere what could not come up where it was placed; for the coordinator. Blocks.
     *
     * @return the successor, or empty where there is no such place
     */
    public Optional<Instance> retry(Retry retry) {
        return placing.retry(retry);
    }

    /** Places again what was lost with a node; for the coordinator. Blocks. */
    public Optional<Instance> replace(Instance lost) {
        return placing.replace(lost);
    }

    /** Plans what was placed once more, on exactly these nodes or, where none are named, on any. Blocks. */
    public Optional<Instance> restore(Wishes.Wish wish, Set<NodeId> nodes) {
        return placing.restore(wish, nodes);
    }

    /** Whether {@link #replace} of the coordinator may be expected to find a place. Does not block. */
    public boolean replaceable(Instance lost) {
        return kit.node().configuration().get(Keys.REPLACE_LOST) && placing.replaceable(lost);
    }

    Object call(Operation<?> operation) {
        return switch (operation) {
            case Operation.PlaceInstance o -> placing.place(o);
            case Operation.PlanInstance o -> placing.plan(o);
            case Operation.PreviewPlacements o -> placing.preview(o);
            case Operation.CreateInstance o -> placing.create(o);
            case Operation.DeleteInstance o -> placing.delete(o.instance());
            case Operation.CancelCommand o -> peers.cancel(o.command());
            case Operation.ListModels o -> models.list();
            case Operation.AddModel o -> models.add(o.model());
            case Operation.DeleteCustomModel o -> models.delete(o.model());
            case Operation.StartDownload o -> models.download(o.node(), o.shard());
            case Operation.CancelDownload o -> models.cancelDownload(o.node(), o.model());
            case Operation.ReadStorage o -> storage();
            case Operation.ReadClusterStorage o -> peers.collect("storage");
            case Operation.PurgeStaging o -> models.purge(o.model());
            case Operation.ListPlugins o -> kit.node().control().plugins();
            case Operation.RescanPlugins o -> kit.node().control().rescan();
            case Operation.ReadEvents o -> kit.log().read();
            case Operation.SetTracing o -> tracing(o.enabled());
            case Operation.ListTraces o -> traces.list(o.cluster());
            case Operation.ReadTrace o -> traces.read(o.taskId(), o.cluster());
            case Operation.DeleteTraces o -> kit.traces().delete(o.taskIds());
            case Operation.Diagnose o -> diagnostics.diagnose(o.scope(), o.node());
            case Operation.CaptureDiagnostics o -> diagnostics.capture(o);
            case Operation.CancelTask o -> diagnostics.cancel(o);
            case Operation.Restart o -> life.restart(o.node());
            case Operation.ReadReadiness o -> life.readiness();
            case Operation.ReadConfig o -> kit.node().control().readConfig();
            case Operation.WriteConfig o -> life.writeConfig(o.config());
            case Operation.ReadMetrics o -> life.metrics();
            case Operation.ListApiKeys o -> keys.list();
            case Operation.CreateApiKey o -> keys.create(o);
            case Operation.DeleteApiKey o -> keys.delete(o.id());
            case Operation.ReadNode o -> life.facts();
        };
    }

    private Operation.StorageReport storage() {
        try {
            return kit.storage().report(kit.log().bytes());
        } catch (IOException e) {
            throw new SkulkException(
                    Problem.of(Problem.Kind.INTERNAL, "The storage cannot be read: " + e.getMessage()), e);
        }
    }

    private boolean tracing(boolean enabled) {
        kit.cluster().report(List.of(new Event.TracingStateChanged(enabled)));
        return ViewWait.first(
                        kit.cluster().views(),
                        view -> view.tracingEnabled() == enabled ? Optional.of(enabled) : Optional.empty(),
                        java.time.Duration.ofSeconds(2))
                .orElseGet(() -> kit.cluster().view().tracingEnabled());
    }
}
