package skulk.kernel.operation;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import skulk.api.PlacementStrategy;
import skulk.api.RunnerFactory;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.Preview;
import skulk.api.operation.Operation.Receipt;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.cluster.ClusterState;
import skulk.kernel.cluster.Event;
import skulk.kernel.cluster.Losses;
import skulk.kernel.cluster.Replanning.Retry;
import skulk.kernel.cluster.Wishes;

/** Placements: planned here by the configured strategies, then told to the cluster. */
final class Placing {
    /** Runbook, "503 info-pending right after cluster formation". */
    static final Duration GRACE = Duration.ofSeconds(15);
    /** How long a command waits to see its own effect, so that the next request of the same client does as well. */
    private static final Duration EFFECT = Duration.ofSeconds(2);

    private static final System.Logger LOG = System.getLogger(Placing.class.getName());

    private final Kit kit;

    Placing(Kit kit) {
        this.kit = kit;
    }

    Receipt place(Operation.PlaceInstance wish) {
        ModelCard card = card(wish.model());
        Instance instance = plan(new PlacementRequest(
                card,
                wish.sharding(),
                wish.meta(),
                wish.minNodes(),
                wish.excluded(),
                Optional.empty(),
                InstanceId.random()));
        announce(instance);
        return new Receipt(CommandId.random(), card);
    }

    Instance plan(Operation.PlanInstance wish) {
        return plan(new PlacementRequest(
                card(wish.model()),
                wish.sharding(),
                wish.meta(),
                wish.minNodes(),
                Set.of(),
                Optional.empty(),
                InstanceId.random()));
    }

    private Instance plan(PlacementRequest request) {
        PlacementStrategy strategy = strategy(request.sharding());
        runnable(request.card());
        String[] pending = {"the cluster is not known yet"};
        Optional<Instance> placed = ViewWait.first(
                kit.cluster().views(),
                view -> switch (decide(strategy, request, view)) {
                    case PlacementDecision.Place place -> Optional.of(place.instance());
                    case PlacementDecision.Refuse(String reason) ->
                        throw new SkulkException(Problem.Kind.USER_ERROR, reason);
                    case PlacementDecision.Wait(String reason) -> {
                        pending[0] = reason;
                        yield Optional.empty();
                    }
                },
                GRACE);
        return placed.orElseThrow(() -> new SkulkException(
                Problem.of(Problem.Kind.NOT_READY, "%s (waited %ds)".formatted(pending[0], GRACE.toSeconds()))
                        .retryAfter(Duration.ofSeconds(5))));
    }

    private PlacementDecision decide(PlacementStrategy strategy, PlacementRequest request, ClusterView view) {
        if (view.members().isEmpty()) {
            return new PlacementDecision.Wait("The node has not joined its cluster yet");
        }
        return strategy.place(request, kit.cluster().forPlacement(view));
    }

    private PlacementStrategy strategy(Sharding sharding) {
        List<PlacementStrategy> offered = kit.node().registry().offers().placements();
        return offered.stream()
                .filter(s -> s.name().equals(sharding.toString()))
                .findFirst()
                .orElseThrow(() -> new SkulkException(
                        Problem.Kind.USER_ERROR,
                        "No plugin offers the placement strategy '%s'; there are %s"
                                .formatted(
                                        sharding,
                                        offered.stream()
                                                .map(PlacementStrategy::name)
                                                .toList())));
    }

    /** Refuses a model that no engine can run, before anything is fetched for it. */
    private void runnable(ModelCard card) {
        List<RunnerFactory> runners = kit.node().registry().offers().runners();
        NodeInfo here = Optional.ofNullable(
                        kit.cluster().view().nodes().get(kit.node().self()))
                .orElseThrow(
                        () -> new SkulkException(Problem.Kind.NOT_READY, "The node has not joined its cluster yet"));
        List<String> reasons = new ArrayList<>();
        for (RunnerFactory runner : runners) {
            Optional<String> refusal = runner.supports(card, here);
            if (refusal.isEmpty()) {
                return;
            }
            reasons.add(runner.name() + ": " + refusal.get());
        }
        throw new SkulkException(
                Problem.Kind.USER_ERROR,
                runners.isEmpty()
                        ? "No plugin offers a runner"
                        : "No runner takes %s: %s".formatted(card.modelId(), String.join("; ", reasons)));
    }

    ModelCard card(ModelId model) {
        return kit.catalog()
                .find(model)
                .orElseThrow(() -> new SkulkException(
                        Problem.Kind.USER_ERROR,
                        "Failed to load model card: %s is neither a known model nor on any storage backend"
                                .formatted(model)));
    }

    private void announce(Instance instance) {
        kit.cluster().report(new Event.InstanceCreated(instance));
        ViewWait.first(
                kit.cluster().views(),
                view -> Optional.ofNullable(view.instances().get(instance.instanceId())),
                EFFECT);
    }

    /** Places again what was lost with a node, on what is left; called by the coordinator. The lost instance does not come back once it has a successor. */
    Optional<Instance> replace(Instance lost) {
        return succeed(new Retry(lost, 1, Set.of()), state -> state.lost(lost.instanceId()), "was lost with a node");
    }

    /** Places elsewhere what could not come up where it was placed, and takes it away there; a successor that is not found leaves all as it is. */
    Optional<Instance> retry(Retry retry) {
        return succeed(
                retry,
                state -> state.instances().containsKey(retry.instance().instanceId()),
                "could not come up where it was placed");
    }

    /**
     * Places something in the stead of an instance.
     *
     * @param still whether that is wanted still once there is a place: what was deleted or has come back meanwhile has no successor
     */
    private Optional<Instance> succeed(Retry retry, Predicate<ClusterState> still, String why) {
        Instance instance = retry.instance();
        try {
            Instance successor = elsewhere(retry);
            kit.cluster()
                    .report(
                            List.of(
                                    Event.InstanceDeleted.replaced(instance.instanceId(), successor.instanceId()),
                                    new Event.InstanceCreated(successor)),
                            still,
                            () -> LOG.log(
                                    Level.INFO,
                                    "{0} {1} and is placed again over {2} node(s)",
                                    instance.modelId(),
                                    why,
                                    successor.shardAssignments().nodeToRunner().size()));
            return Optional.of(successor);
        } catch (SkulkException e) {
            LOG.log(
                    Level.WARNING,
                    "{0} {1} and cannot be placed anywhere else: {2}",
                    instance.modelId(),
                    why,
                    e.getMessage());
            return Optional.empty();
        }
    }

    /** Where something that was placed before could be placed again. @param nodes exactly these; empty = any but those it was not to be placed on */
    Optional<Instance> restore(Wishes.Wish wish, Set<NodeId> nodes) {
        try {
            return Optional.of(plan(new PlacementRequest(
                    wish.card(),
                    wish.sharding(),
                    InstanceMeta.MLX_RING,
                    Math.max(1, nodes.size()),
                    wish.excluded(),
                    nodes.isEmpty() ? Optional.empty() : Optional.of(nodes),
                    InstanceId.random())));
        } catch (SkulkException e) {
            LOG.log(
                    Level.WARNING,
                    "{0} is not placed where it was: {1}",
                    wish.card().modelId(),
                    e.getMessage());
            return Optional.empty();
        }
    }

    /** Not where it was not wanted, as long as there is another place: a model that serves there is better than one that does not. */
    private Instance elsewhere(Retry retry) {
        Set<NodeId> unwanted = retry.instance().excludedNodes();
        try {
            return plan(successor(retry, unwanted));
        } catch (SkulkException e) {
            if (unwanted.isEmpty()) {
                throw e;
            }
            LOG.log(
                    Level.WARNING,
                    "{0} has no place but on the nodes that were excluded: {1}",
                    retry.instance().modelId(),
                    e.getMessage());
            return plan(successor(retry, Set.of()));
        }
    }

    /** Whether a successor of a lost instance has a place, by what is known now. */
    boolean replaceable(Instance lost) {
        PlacementRequest request = successor(new Retry(lost, 1, Set.of()), Set.of());
        try {
            return !(decide(strategy(request.sharding()), request, kit.cluster().view())
                    instanceof PlacementDecision.Refuse);
        } catch (SkulkException e) {
            return false; // no plugin for it
        }
    }

    /** The wish for what was there, wherever it fits but on nodes that cannot have it or were not wanted. */
    private static PlacementRequest successor(Retry retry, Set<NodeId> unwanted) {
        Set<NodeId> excluded = new HashSet<>(unwanted);
        excluded.addAll(retry.without());
        Shard shard = retry.instance()
                .shardAssignments()
                .runnerToShard()
                .values()
                .iterator()
                .next();
        return new PlacementRequest(
                shard.modelCard(),
                shard.sharding(),
                InstanceMeta.MLX_RING,
                retry.minNodes(),
                excluded,
                Optional.empty(),
                InstanceId.random());
    }

    Receipt create(Operation.CreateInstance wish) {
        Instance instance = wish.instance();
        ClusterView view = kit.cluster().view();
        ModelCard card = instance.shardAssignments().runnerToShard().values().stream()
                .findFirst()
                .map(Shard::modelCard)
                .orElseThrow(() -> new SkulkException(Problem.Kind.USER_ERROR, "The instance has no shards"));
        for (NodeId node : instance.shardAssignments().nodeToRunner().keySet()) {
            if (!view.members().contains(node)) {
                throw new SkulkException(
                        Problem.Kind.USER_ERROR,
                        "Node %s is not in the cluster; ids change per session".formatted(node));
            }
            boolean takes = Optional.ofNullable(view.nodes().get(node))
                    .flatMap(NodeInfo::resources)
                    .map(NodeInfo.Resources::takesRanks)
                    .orElse(true);
            if (!takes) {
                throw new SkulkException(
                        Problem.Kind.USER_ERROR,
                        "Node %s takes no ranks (node.worker, node.participation)".formatted(node));
            }
        }
        long available = view.nodes().values().stream()
                .mapToLong(n -> n.memory().map(m -> m.ramAvailable().inBytes()).orElse(0L))
                .sum();
        if (card.storageSize().inBytes() > available) {
            throw new SkulkException(
                    Problem.Kind.USER_ERROR,
                    "Insufficient memory to create instance. Required: %.1fGB, Available: %.1fGB"
                            .formatted(card.storageSize().gigabytes(), available / 1e9));
        }
        announce(instance);
        return new Receipt(CommandId.random(), card);
    }

    CommandId delete(InstanceId id) {
        Instance instance = kit.cluster().view().instances().get(id);
        if (instance == null) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Instance not found");
        }
        kit.cluster().execute(() -> {
            List<Event> events = new ArrayList<>(Losses.tasksOf(kit.cluster().state(), instance));
            events.add(Event.InstanceDeleted.wanted(id));
            kit.cluster().report(events);
        });
        ViewWait.first(
                kit.cluster().views(),
                view -> view.instances().containsKey(id) ? Optional.empty() : Optional.of(id),
                EFFECT);
        return CommandId.random();
    }

    // ---- previews (contract section 2)

    List<Preview> preview(Operation.PreviewPlacements wish) {
        ModelCard card = card(wish.model());
        ClusterView view = kit.cluster().forPlacement(kit.cluster().view());
        List<Preview> previews = new ArrayList<>();
        for (Sharding sharding : Sharding.values()) {
            Optional<PlacementStrategy> strategy = kit.node().registry().offers().placements().stream()
                    .filter(s -> s.name().equals(sharding.toString()))
                    .findFirst();
            for (InstanceMeta meta : InstanceMeta.values()) {
                strategy.ifPresent(s -> previews.addAll(preview(wish, card, s, meta, view)));
            }
        }
        return previews;
    }

    private static List<Preview> preview(
            Operation.PreviewPlacements wish,
            ModelCard card,
            PlacementStrategy strategy,
            InstanceMeta meta,
            ClusterView view) {
        Sharding sharding = strategy.name().equals(Sharding.TENSOR.toString()) ? Sharding.TENSOR : Sharding.PIPELINE;
        List<Preview> found = new ArrayList<>();
        Set<Integer> sizes = new HashSet<>();
        Optional<String> error = Optional.empty();
        for (int nodes = 1; nodes <= view.topology().nodes().size(); nodes++) {
            PlacementRequest request = new PlacementRequest(
                    card, sharding, meta, nodes, wish.excluded(), wish.only(), InstanceId.random());
            switch (strategy.place(request, view)) {
                case PlacementDecision.Place place -> {
                    if (truthful(place.instance(), sharding, meta)
                            && sizes.add(place.instance()
                                    .shardAssignments()
                                    .nodeToRunner()
                                    .size())) {
                        found.add(new Preview(
                                card.modelId(),
                                sharding,
                                meta,
                                Optional.of(place.instance()),
                                place.memoryDeltaByNode(),
                                Optional.of(place.forecast()),
                                Optional.empty()));
                    }
                }
                case PlacementDecision.Refuse(String reason) -> error = error.or(() -> Optional.of(reason));
                case PlacementDecision.Wait(String reason) -> error = error.or(() -> Optional.of(reason));
            }
        }
        error.ifPresent(reason -> found.add(new Preview(
                card.modelId(), sharding, meta, Optional.empty(), Map.of(), Optional.empty(), Optional.of(reason))));
        return found;
    }

    /** One node is always a pipeline over a ring; under another label it would promise what nobody gets. */
    private static boolean truthful(Instance instance, Sharding sharding, InstanceMeta meta) {
        boolean ring = instance instanceof Instance.MlxRingInstance;
        boolean pipeline = instance.shardAssignments().runnerToShard().values().stream()
                .allMatch(Shard.PipelineShardMetadata.class::isInstance);
        return ring == (meta == InstanceMeta.MLX_RING) && pipeline == (sharding == Sharding.PIPELINE);
    }
}
