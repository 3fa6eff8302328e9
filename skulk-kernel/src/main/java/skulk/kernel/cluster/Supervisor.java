package skulk.kernel.cluster;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Topology.Edge;
import skulk.kernel.rank.FromRank;
import skulk.kernel.rank.LocalRank;
import skulk.kernel.rank.RankHost;
import skulk.kernel.rank.RankSpec;
import skulk.kernel.rank.ToRank;

/**
 * Makes this node do its part of every placement: plans after each view ({@link Planner}), carries the actions out, and tells the cluster what became of them.
 * Planning happens on the control thread alone.
 */
public final class Supervisor implements ClusterNode.Neighbours, RankHost.Listener {
    private static final System.Logger LOG = System.getLogger(Supervisor.class.getName());

    private final NodeId self;
    private final ClusterNode cluster;
    private final Settings settings;
    private final Map<InstanceId, Map<Integer, Message.RankEndpoint>> endpoints = new HashMap<>();
    private final Set<Shard> fetching = new HashSet<>();
    private RankHost ranks;
    private ModelFiles files;

    /**
     * @param engine the engine's settings for a rank
     * @param addresses of this node for rank links, best first
     * @param data requests and their events
     * @param watcher hears every view, on the control thread; must not block
     * @param applied hears every event, on the control thread; must not block
     * @param probed hears where other nodes answer measurements, on the control thread; must not block
     */
    public record Settings(
            BiFunction<Instance, Shard, Map<String, String>> engine,
            Supplier<List<String>> addresses,
            BiConsumer<NodeId, Message.Data> data,
            Consumer<ClusterView> watcher,
            Consumer<Event> applied,
            BiConsumer<NodeId, Message.ProbeEndpoint> probed) {}

    public Supervisor(NodeId self, ClusterNode cluster, Settings settings) {
        this.self = self;
        this.cluster = cluster;
        this.settings = settings;
    }

    /** Completes the circle: hosts and files tell this supervisor, and it drives them. Called once, before joining. */
    public void drive(RankHost ranks, ModelFiles files) {
        this.ranks = ranks;
        this.files = files;
    }

    // ---- from the cluster, on the control thread

    @Override
    public void data(NodeId from, Message.Data message) {
        settings.data().accept(from, message);
    }

    @Override
    public void endpoint(Message.RankEndpoint endpoint) {
        endpoints.computeIfAbsent(endpoint.instance(), i -> new TreeMap<>()).put(endpoint.rank(), endpoint);
        Instance instance = cluster.state().instances().get(endpoint.instance());
        if (instance == null) {
            return; // the placement's event is on its way
        }
        RunnerId runner = instance.shardAssignments().nodeToRunner().get(self);
        for (LocalRank rank : ranks.local()) {
            if (rank.runner().equals(runner)
                    && rank.connectOrdered()
                    && rank.status() instanceof RunnerStatus.RunnerConnecting) {
                ranks.connect(runner, peers(instance, runner)); // that peer was started again and listens elsewhere
            }
        }
        cluster.replan();
    }

    @Override
    public void probe(NodeId from, Message.ProbeEndpoint endpoint) {
        settings.probed().accept(from, endpoint);
    }

    @Override
    public void applied(Event event) {
        settings.applied().accept(event);
        if (event instanceof Event.InstanceCreated(Instance instance)
                && instance.shardAssignments().nodeToRunner().containsKey(self)) {
            Shard shard = instance.shardAssignments().shardOf(self);
            boolean failed =
                    download(cluster.state().downloads(), shard).anyMatch(Download.DownloadFailed.class::isInstance);
            if (failed && fetching.add(shard)) {
                files.ensure(shard);
            }
        }
    }

    @Override
    public void view(ClusterView view) {
        settings.watcher().accept(view);
        endpoints.keySet().retainAll(known(view));
        fetching.removeIf(shard -> download(view.downloads(), shard)
                .anyMatch(d -> d instanceof Download.DownloadCompleted || d instanceof Download.DownloadOngoing));
        Map<InstanceId, Set<Integer>> listening = new HashMap<>();
        endpoints.forEach((instance, byRank) -> listening.put(instance, byRank.keySet()));
        for (Action action : Planner.plan(view, ranks.local(), listening, cluster.state()::deleted)) {
            try {
                carryOut(action);
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "cannot carry out " + action, e);
            }
        }
    }

    private Stream<Download> download(Map<NodeId, List<Download>> downloads, Shard shard) {
        return downloads.getOrDefault(self, List.of()).stream()
                .filter(d -> d.shardMetadata().same(shard));
    }

    /** A download's newest word. */
    public void downloaded(Download download) {
        if (download instanceof Download.DownloadFailed) {
            cluster.execute(() -> fetching.removeIf(download.shardMetadata()::same));
        }
        cluster.report(new Event.NodeDownloadProgress(download));
    }

    /** An endpoint may arrive before the placement it belongs to. */
    private Set<InstanceId> known(ClusterView view) {
        Set<InstanceId> keep = new HashSet<>(view.instances().keySet());
        if (endpoints.size() < 64) {
            keep.addAll(endpoints.keySet());
        }
        return keep;
    }

    private void carryOut(Action action) {
        switch (action) {
            case Action.Fetch(Shard shard) -> {
                if (fetching.add(shard)) {
                    files.ensure(shard);
                }
            }
            case Action.CreateRank(Instance instance, RunnerId runner, Shard shard) -> create(instance, runner, shard);
            case Action.ConnectRank(Instance instance, RunnerId runner) ->
                ranks.connect(runner, peers(instance, runner));
            case Action.LoadRank(RunnerId runner) -> ranks.load(runner);
            case Action.StopRank(RunnerId runner, boolean lost) -> ranks.stop(runner, lost);
        }
    }

    private void create(Instance instance, RunnerId runner, Shard shard) {
        files.ready(shard)
                .ifPresentOrElse(
                        found -> {
                            RankSpec spec = new RankSpec(
                                    instance,
                                    runner,
                                    shard,
                                    new RankSpec.Files(found.folder(), found.partial(), found.companions()),
                                    settings.engine().apply(instance, shard));
                            Optional.ofNullable(cluster.view().nodes().get(self))
                                    .flatMap(here -> LoadCheck.refusal(here, shard, ranks.ending()))
                                    .ifPresentOrElse(why -> ranks.refuse(spec, why), () -> ranks.create(spec));
                        },
                        () -> {
                            if (fetching.add(shard)) {
                                files.ensure(shard); // it was there once, and is not any more
                            }
                        });
    }

    private List<ToRank.Peer> peers(Instance instance, RunnerId runner) {
        List<ToRank.Peer> peers = new ArrayList<>();
        Shard own = instance.shardAssignments().runnerToShard().get(runner);
        endpoints.getOrDefault(instance.instanceId(), Map.of()).forEach((rank, endpoint) -> {
            if (rank != own.deviceRank()) {
                NodeId node = instance.shardAssignments().nodesByRank().get(rank);
                List<Edge> verified = cluster.view().topology().edges(self, node);
                List<String> addresses = Edges.inOrder(placed(instance, rank), verified, endpoint.addresses());
                peers.add(new ToRank.Peer(rank, addresses, endpoint.port(), endpoint.key()));
            }
        });
        return peers;
    }

    /** The address that placement chose for a neighbour, see contract section 1.1, {@code hostsByNode}. */
    private List<String> placed(Instance instance, int rank) {
        if (!(instance instanceof Instance.MlxRingInstance ring)) {
            return List.of();
        }
        List<Instance.Host> hosts = ring.hostsByNode().getOrDefault(self, List.of());
        boolean real = rank < hosts.size()
                && !hosts.get(rank).ip().equals("0.0.0.0")
                && !hosts.get(rank).ip().equals("198.51.100.1");
        return real ? List.of(hosts.get(rank).ip()) : List.of();
    }

    @Override
    public List<Event> facts(ClusterState previous, ClusterState now) {
        List<Event> facts = new ArrayList<>();
        Set<NodeId> members = new HashSet<>(cluster.view().members());
        Map<InstanceId, Instance> running = new LinkedHashMap<>();
        for (LocalRank rank : ranks.local()) {
            Instance instance = previous.instances().get(rank.instance());
            boolean whole = instance != null
                    && members.containsAll(
                            instance.shardAssignments().nodeToRunner().keySet());
            if (whole) {
                running.put(rank.instance(), instance);
            }
        }
        facts.addAll(Losses.carried(previous, now, running.values()));
        ranks.local().forEach(rank -> facts.add(new Event.RunnerStatusUpdated(rank.runner(), rank.status())));
        previous.downloads().getOrDefault(self, List.of()).forEach(d -> facts.add(new Event.NodeDownloadProgress(d)));
        previous.edges()
                .getOrDefault(self, Map.of())
                .forEach((sink, edges) -> edges.forEach(
                        edge -> facts.add(new Event.TopologyEdgeCreated(new Event.Connection(self, sink, edge)))));
        previous.customCards().forEach((id, card) -> {
            if (!now.customCards().containsKey(id)) {
                facts.add(new Event.CustomModelCardAdded(card));
            }
        });
        return facts;
    }

    // ---- from the ranks and the files, on any thread

    @Override
    public void status(RunnerId runner, RunnerStatus status) {
        cluster.report(new Event.RunnerStatusUpdated(runner, status));
        cluster.replan();
    }

    @Override
    public void listening(RankSpec spec, FromRank.Listening endpoint) {
        Message.RankEndpoint message = new Message.RankEndpoint(
                spec.instance().instanceId(),
                spec.shard().deviceRank(),
                settings.addresses().get(),
                endpoint.port(),
                endpoint.key());
        spec.instance().shardAssignments().nodeToRunner().keySet().forEach(node -> cluster.send(node, message));
    }

    @Override
    public void ended(RankSpec spec) {
        files.release(spec.instance().modelId());
        cluster.replan();
    }

    @Override
    public void brokenDown(RankSpec spec, String reason) {
        LOG.log(
                Level.ERROR,
                "{0} crashed too often ({1}); its placement is removed",
                spec.instance().modelId(),
                reason);
        cluster.execute(() -> {
            List<Event> events = new ArrayList<>(Losses.tasksOf(cluster.state(), spec.instance()));
            events.add(Event.InstanceDeleted.wanted(spec.instance().instanceId()));
            cluster.report(events);
        });
    }
}
