package skulk.kernel.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import skulk.api.Cluster;
import skulk.api.DrafterFactory;
import skulk.api.HardwareProbe;
import skulk.api.IncomingModel;
import skulk.api.Inference;
import skulk.api.Membership;
import skulk.api.RunnerFactory;
import skulk.api.StorageBackend;
import skulk.api.Telemetry;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.NodeProfile;
import skulk.api.cluster.Shard;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.FilePart;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Key;
import skulk.kernel.config.Keys;
import skulk.kernel.event.EventLog;
import skulk.kernel.event.LogLimits;
import skulk.kernel.inference.Accounts;
import skulk.kernel.inference.Dispatcher;
import skulk.kernel.inference.Recovery;
import skulk.kernel.inference.Tracer;
import skulk.kernel.model.Catalog;
import skulk.kernel.node.Build;
import skulk.kernel.node.Names;
import skulk.kernel.node.NodeContext;
import skulk.kernel.node.Services;
import skulk.kernel.operation.Kit;
import skulk.kernel.operation.LocalCluster;
import skulk.kernel.operation.Operations;
import skulk.kernel.plugin.Offers;
import skulk.kernel.rank.Engines;
import skulk.kernel.rank.MeasureMain;
import skulk.kernel.rank.RankHost;
import skulk.kernel.rank.RankMain;
import skulk.kernel.rank.RankSpec;
import skulk.kernel.storage.PeerBackend;
import skulk.kernel.storage.PeerServer;
import skulk.kernel.storage.StorageService;
import skulk.kernel.storage.StorageSettings;
import skulk.kernel.telemetry.EngineGauge;
import skulk.kernel.telemetry.MachineProbe;
import skulk.kernel.telemetry.NodeSpeed;
import skulk.kernel.telemetry.TelemetryBus;
import skulk.kernel.trace.TraceStore;

/** The cluster half of a node: constructs its parts, ties them together and orders their life; holds no logic of its own. */
public final class ClusterServices implements Services {
    private static final System.Logger LOG = System.getLogger(ClusterServices.class.getName());

    /** Starts a program that takes what others leave of the processor. */
    private static final Path NICE = Path.of("/usr/bin/nice");

    /** Longest wait for what other members say of their copies; digests of a large file take a while. */
    private static final Duration PEERS = Duration.ofSeconds(30);

    private final NodeContext node;
    private final TelemetryBus telemetry;
    private final EventLog log;
    private final ClusterNode cluster;
    private final Supervisor supervisor;
    private final RankHost ranks;
    private final StorageService storage;
    private final PeerServer peerServer;
    private final PeerBackend peers;
    private final TraceStore traces;
    private final Dispatcher dispatcher;
    private final Reachability reachability;
    private final Operations operations;
    private final Cluster facade;
    private volatile List<HardwareProbe> probes = List.of();
    private volatile Optional<NodeSpeed> speed = Optional.empty();
    private final Replanning replanning = new Replanning(); // of the control thread
    private volatile Optional<Restoring> restoring = Optional.empty();
    private ClusterView before; // of the control thread
    private ClusterState stateBefore = ClusterState.EMPTY; // of the control thread

    private ClusterServices(NodeContext node) {
        this.node = node;
        before = ClusterView.empty(node.self());
        Configuration configuration = node.configuration();
        telemetry = new TelemetryBus(() -> node.registry().offers().sinks());
        try {
            log = new EventLog(node.home().eventLog().resolve("api"), LogLimits.DEFAULT);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open the event log: " + e.getMessage(), e);
        }
        cluster = new ClusterNode(node.self(), log, () -> probes);
        Catalog catalog = new Catalog(node.home().customCards(), this::backends);
        supervisor = new Supervisor(
                node.self(),
                cluster,
                new Supervisor.Settings(
                        this::engine,
                        () -> Addresses.own(),
                        this::data,
                        this::viewChanged,
                        event -> cards(catalog, event),
                        this::probed));
        ranks = new RankHost(this::launch, supervisor);
        storage = new StorageService(
                storageSettings(), this::backends, this::share, this::active, supervisor::downloaded);
        peerServer = new PeerServer(storageSettings(), Addresses::own, cluster.tls());
        cluster.calls().answer(PeerServer.OFFER, peerServer::offer);
        cluster.calls().answer(PeerServer.DIGESTS, peerServer::digests);
        peers = new PeerBackend(this::askOthers, cluster.tls());
        supervisor.drive(ranks, new StagedFiles(storage));
        traces = new TraceStore(node.home().traces(), configuration.get(Keys.TRACE_DAYS));
        dispatcher = new Dispatcher(
                new Dispatcher.Wiring(
                        node.self(),
                        cluster::view,
                        ranks,
                        cluster.calls(),
                        cluster::send,
                        lost -> operations().replaceable(lost),
                        id -> cluster.state().deleted(id)),
                new Accounts(node.self(), cluster::reportLater, log::append, telemetry),
                new Tracer(cluster::view, traces::save),
                limits(configuration));
        reachability =
                new Reachability(node.self(), cluster, () -> node.control().apiPort());
        operations =
                new Operations(new Kit(node, cluster, dispatcher, ranks, catalog, storage, log, traces, telemetry));
        facade = new LocalCluster(cluster, () -> operations);
    }

    private Dispatcher.Limits limits(Configuration c) {
        return new Dispatcher.Limits(
                seconds(Keys.STREAM_IDLE),
                (int) (c.get(Keys.MAX_CONCURRENT) + c.get(Keys.MAX_QUEUED)),
                new Recovery.Policy(
                        c.get(Keys.RESUME),
                        seconds(Keys.RESUME_SECONDS),
                        c.get(Keys.RESUME_ATTEMPTS).intValue()));
    }

    /** Made last, asked from the first request on. */
    private Operations operations() {
        return operations;
    }

    /** Makes the cluster half of a node; nothing is joined or started yet. */
    public static Services create(NodeContext node) {
        return new ClusterServices(node);
    }

    @Override
    public Cluster cluster() {
        return facade;
    }

    @Override
    public Inference inference() {
        return dispatcher;
    }

    @Override
    public Telemetry telemetry() {
        return telemetry;
    }

    @Override
    public void start() throws IOException {
        Offers offers = node.registry().offers();
        NodeInfo.Resources offered = NodeInfo.Resources.unmeasured(
                offers.runners().stream().map(RunnerFactory::name).toList(),
                node.configuration().get(Keys.WORKER)
                        ? node.configuration().get(Keys.PARTICIPATION)
                        : NodeInfo.Resources.MANAGEMENT,
                threads());
        speed = Optional.of(new NodeSpeed(offered, gauge(), () -> ranks.local().isEmpty()));
        List<HardwareProbe> all = new ArrayList<>();
        all.add(new MachineProbe(
                node.home().models(), Names.of(node.configuration()), Build.version(), speed.get()::resources));
        all.addAll(offers.probes());
        probes = List.copyOf(all);
        Membership membership = membership(offers);
        if (!membership.name().equals(SoloMembership.NAME)
                && node.configuration().get(Keys.RESTORE)) {
            restoring = Optional.of(new Restoring(
                    cluster,
                    node.home().placements(),
                    (wish, nodes) -> operations().restore(wish, nodes),
                    () -> node.configuration().get(Keys.REPLACE_LOST)));
        }
        cluster.join(membership, profile(), supervisor);
        Thread.ofVirtual().name("storage-reconcile").start(storage::reconcile);
        if (node.configuration().get(Keys.TRACING)) {
            cluster.report(new Event.TracingStateChanged(true));
        }
    }

    @Override
    public void close() {
        speed.ifPresent(NodeSpeed::close);
        ranks.close();
        reachability.close();
        cluster.close();
        restoring.ifPresent(Restoring::close);
        storage.close();
        peerServer.close();
        traces.close();
        telemetry.close();
        log.close();
    }

    private Membership membership(Offers offers) throws IOException {
        List<Membership> known = new ArrayList<>(offers.memberships());
        if (known.stream().noneMatch(m -> m.name().equals(SoloMembership.NAME))) {
            known.add(new SoloMembership());
        }
        String wanted = node.configuration().get(Keys.MEMBERSHIP);
        String name = !wanted.isEmpty() ? wanted : clustered(node.configuration()) ? "jgroups" : SoloMembership.NAME;
        return known.stream()
                .filter(m -> m.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IOException("no plugin offers the membership '%s'; there are %s"
                        .formatted(name, known.stream().map(Membership::name).toList())));
    }

    /** Whoever names peers, the port for them or anything else of that plugin's wants a cluster. */
    private static boolean clustered(Configuration configuration) {
        return !configuration.get(Keys.BOOTSTRAP_PEERS).isEmpty()
                || configuration.isSet(Keys.CLUSTER_PORT)
                || !configuration.plugin("membership-jgroups").members().isEmpty();
    }

    private NodeProfile profile() {
        return new NodeProfile(
                node.self(),
                Names.of(node.configuration()),
                Build.version(),
                Addresses.own(),
                node.control().apiPort(),
                node.configuration().get(Keys.FORCE_MASTER));
    }

    private Duration seconds(Key<Double> key) {
        return Duration.ofMillis((long) (1000 * node.configuration().get(key)));
    }

    private Optional<EngineGauge> gauge() {
        List<Path> plugins = launch().plugins();
        if (plugins.isEmpty() || !node.configuration().get(Keys.MEASURE)) {
            return Optional.empty();
        }
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(NICE)) {
            command.addAll(List.of(NICE.toString(), "-n", "19")); // whoever else wants the cores comes first
        }
        command.addAll(node.installation().rankCommand(MeasureMain.class.getName()));
        command.addAll(List.of(node.home().data().toString(), Integer.toString(threads())));
        plugins.forEach(plugin -> command.add(plugin.toString()));
        String of =
                "%s, %d threads, %s %s".formatted(MachineProbe.chip(), threads(), Build.version(), changed(plugins));
        return Optional.of(new EngineGauge(command, node.home().cache().resolve("engine-speed.json"), of));
    }

    /** When the newest of the plugins was installed. */
    private static Instant changed(List<Path> plugins) {
        return plugins.stream()
                .map(plugin -> Instant.ofEpochMilli(plugin.toFile().lastModified()))
                .max(Comparator.naturalOrder())
                .orElseThrow();
    }

    private int threads() {
        long wanted = node.configuration().get(Keys.THREADS);
        return wanted > 0 ? (int) wanted : Runtime.getRuntime().availableProcessors();
    }

    /** Local sources first, then the LAN's store, then copies of other members, then the hub (design section 9). */
    private List<StorageBackend> backends() {
        List<StorageBackend> sorted = new ArrayList<>(node.registry().offers().storages());
        sorted.add(peers);
        sorted.sort(Comparator.comparingInt(b -> switch (b.name()) {
            case "hub" -> 3;
            case PeerBackend.NAME -> 2;
            case StorageSettings.STORE_BACKEND -> 1;
            default -> 0;
        }));
        return sorted;
    }

    private Map<NodeId, Json> askOthers(String topic, Json body) {
        Map<NodeId, CompletableFuture<Json>> asked = new HashMap<>();
        cluster.view().members().stream()
                .filter(member -> !member.equals(node.self()))
                .forEach(member -> asked.put(
                        member,
                        cluster.calls()
                                .askLater(member, topic, body)
                                .completeOnTimeout(Json.NULL, PEERS.toMillis(), TimeUnit.MILLISECONDS)
                                .exceptionally(gone -> Json.NULL)));
        Map<NodeId, Json> answers = new HashMap<>();
        asked.forEach((member, answer) -> answers.put(member, answer.join()));
        return answers;
    }

    private List<FilePart> share(Shard shard, IncomingModel files) throws IOException, InterruptedException {
        return Engines.runnerFor(shard, node.registry().offers().runners()).share(shard, files);
    }

    private StorageSettings storageSettings() {
        return StorageSettings.of(
                node.configuration(),
                new StorageSettings.Here(
                        node.self(),
                        Names.of(node.configuration()),
                        Names.host(),
                        node.home().staging()));
    }

    /** The models that have a rank here, wanted or running. */
    private Collection<ModelCard> active() {
        Map<ModelId, ModelCard> cards = new HashMap<>();
        ClusterView view = cluster.view();
        for (Instance instance : view.instances().values()) {
            if (instance.shardAssignments().nodeToRunner().containsKey(view.self())) {
                Shard shard = instance.shardAssignments().shardOf(view.self());
                cards.put(instance.modelId(), shard.modelCard());
            }
        }
        ranks.reports()
                .forEach(r -> cards.put(
                        r.spec().instance().modelId(), r.spec().shard().modelCard()));
        return cards.values();
    }

    private void data(skulk.api.cluster.NodeId from, Message.Data message) {
        dispatcher.data(from, message);
    }

    private void viewChanged(ClusterView view) {
        dispatcher.viewChanged(view);
        reachability.viewChanged(view);
        if (node.configuration().get(Keys.REPLACE_LOST) && view.master().equals(Optional.of(node.self()))) {
            for (Instance lost : Losses.between(stateBefore, cluster.state(), view.members())) {
                Thread.ofVirtual().name("replace").start(() -> operations.replace(lost));
            }
        }
        if (view.master().equals(Optional.of(node.self()))) {
            replanning.between(before, view).forEach(this::retry);
        }
        restoring.ifPresent(r -> r.viewChanged(view));
        before = view;
        stateBefore = cluster.state();
    }

    private void retry(Replanning.Retry retry) {
        Thread.ofVirtual()
                .name("retry")
                .start(() -> operations
                        .retry(retry)
                        .ifPresent(successor -> cluster.execute(() -> replanning.last(successor))));
    }

    private void probed(NodeId from, Message.ProbeEndpoint endpoint) {
        reachability.heard(from, endpoint);
    }

    private static void cards(Catalog catalog, Event event) {
        if (event instanceof Event.CustomModelCardAdded(ModelCard card)) {
            catalog.keep(card);
        } else if (event instanceof Event.CustomModelCardDeleted(ModelId model)) {
            catalog.drop(model);
        }
    }

    // ---- ranks

    private RankSpec.Launch launch() {
        List<Path> plugins = node.registry().offers().origins().stream()
                .filter(o -> o.extension() instanceof RunnerFactory || o.extension() instanceof DrafterFactory)
                .map(Offers.Origin::file)
                .distinct()
                .toList();
        JsonObject.Builder sections = JsonObject.builder();
        node.configuration().plugins().forEach(sections::put);
        Function<Key<Double>, Duration> seconds = this::seconds;
        RankSpec.Deadlines defaults = RankSpec.Deadlines.DEFAULT;
        return new RankSpec.Launch(
                node.installation().rankCommand(RankMain.class.getName()),
                plugins,
                sections.build(),
                node.home().data(),
                node.home().run(),
                new RankSpec.Deadlines(
                        defaults.firstReport(),
                        seconds.apply(Keys.CONNECT_DEADLINE),
                        seconds.apply(Keys.LOAD_DEADLINE),
                        seconds.apply(Keys.WARMUP_DEADLINE),
                        seconds.apply(Keys.STEP_DEADLINE),
                        defaults.silence(),
                        defaults.escalation()));
    }

    private Map<String, String> engine(Instance instance, Shard shard) {
        Configuration c = node.configuration();
        Map<String, String> settings = new HashMap<>();
        settings.put("threads", Integer.toString(threads()));
        settings.put("kernels", c.get(Keys.KERNELS));
        settings.put("kv_cache_backend", c.get(Keys.KV_BACKEND));
        settings.put("max_concurrent_requests", Long.toString(c.get(Keys.BATCH) ? c.get(Keys.MAX_CONCURRENT) : 1));
        settings.put("max_queued_requests", Long.toString(c.get(Keys.MAX_QUEUED)));
        settings.put("max_output_tokens", Long.toString(c.get(Keys.MAX_OUTPUT_TOKENS)));
        settings.put("skip_warmup", Boolean.toString(c.get(Keys.SKIP_WARMUP)));
        Optional.ofNullable(cluster.view().nodes().get(node.self()))
                .flatMap(NodeInfo::memory)
                .ifPresent(memory -> {
                    long total = memory.ramTotal().inBytes();
                    long budget =
                            Math.min(memory.ramAvailable().inBytes(), (long) (c.get(Keys.MEMORY_THRESHOLD) * total));
                    settings.put("memory_bytes", Long.toString(budget));
                    settings.put("heap_bytes", Long.toString(Math.clamp(total / 8, 512L << 20, 4L << 30)));
                });
        LOG.log(Level.DEBUG, "engine settings of {0}: {1}", instance.instanceId(), settings);
        return settings;
    }

    /** The storage service as ranks see it. */
    private record StagedFiles(StorageService storage) implements ModelFiles {
        @Override
        public void ensure(Shard shard) {
            storage.ensure(shard).exceptionally(failure -> {
                LOG.log(
                        Level.WARNING,
                        "{0} is not available here: {1}",
                        shard.modelCard().modelId(),
                        failure.getMessage());
                return null; // told to the cluster as a failed download
            });
        }

        @Override
        public Optional<Loadable> ready(Shard shard) {
            return storage.ready(shard)
                    .map(staged -> new Loadable(staged.folder(), staged.partial(), staged.companions()));
        }

        @Override
        public void release(ModelId model) {
            Thread.ofVirtual().name("evict").start(() -> storage.release(model));
        }
    }
}
