package skulk.kernel.operation;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Extension;
import skulk.api.PlacementStrategy;
import skulk.api.RankContext;
import skulk.api.Runner;
import skulk.api.RunnerFactory;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Sharding;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.cluster.ClusterServices;
import skulk.kernel.cluster.Hub;
import skulk.kernel.config.Configuration;
import skulk.kernel.node.Home;
import skulk.kernel.node.Installation;
import skulk.kernel.node.NodeContext;
import skulk.kernel.node.NodeControl;
import skulk.kernel.node.Services;
import skulk.kernel.plugin.Offers;
import skulk.kernel.plugin.Registry;
import skulk.kernel.rank.Samples;
import skulk.kernel.security.FileKeyStore;
import skulk.kernel.security.KeyStore;
import skulk.kernel.security.Quotas;

/** Operations on the real cluster half of nodes; only plugins and processes are stood in for. */
class OperationsTest {
    private static final ModelId MODEL = new ModelId("org/small");

    @TempDir
    Path home;

    private final Hub hub = new Hub();

    /** Places on the youngest member, one that is named "big" nowhere, and waits where told to. */
    private static final class Youngest implements PlacementStrategy {
        @Override
        public String name() {
            return "Pipeline";
        }

        @Override
        public PlacementDecision place(PlacementRequest request, ClusterView cluster) {
            if (request.card().storageSize().inBytes() > 1L << 30) {
                return new PlacementDecision.Refuse(
                        "No candidate cycle fits " + request.card().modelId());
            }
            if (request.minNodes() > cluster.members().size()) {
                return new PlacementDecision.Wait("topology knows too few nodes");
            }
            NodeId node = cluster.members().getLast();
            if (request.excluded().contains(node)) {
                return new PlacementDecision.Refuse("the youngest node is excluded");
            }
            return new PlacementDecision.Place(
                    Samples.instance(request.card().modelId().value(), node),
                    Map.of(node, 7L),
                    new PlacementDecision.Forecast(1, 1, Map.of()));
        }
    }

    private record Refusing(String reason) implements RunnerFactory {
        @Override
        public String name() {
            return "mlx";
        }

        @Override
        public Optional<String> supports(ModelCard card, NodeInfo node) {
            return card.family().equals("odd") ? Optional.of(reason) : Optional.empty();
        }

        @Override
        public Runner load(RankContext rank) {
            throw new UnsupportedOperationException();
        }
    }

    private final Map<String, Control> controls = new HashMap<>();

    private static final class Control implements NodeControl {
        private final KeyStore keys;
        private final Quotas quotas;
        private boolean restarting;

        Control(Path home) {
            keys = FileKeyStore.open(JsonObject.EMPTY, home);
            quotas = new Quotas(keys::ring, System::nanoTime);
        }

        @Override
        public KeyStore keys() {
            return keys;
        }

        @Override
        public Quotas quotas() {
            return quotas;
        }

        @Override
        public List<Operation.PluginStatus> plugins() {
            return List.of();
        }

        @Override
        public List<Operation.PluginStatus> rescan() {
            return List.of();
        }

        @Override
        public Operation.ConfigReply readConfig() {
            return new Operation.ConfigReply(JsonObject.EMPTY, "skulk.yaml", false, JsonObject.EMPTY);
        }

        @Override
        public Operation.ConfigWritten writeConfig(JsonObject config) {
            return new Operation.ConfigWritten("saved", true);
        }

        @Override
        public Operation.ConfigWritten adoptConfig(JsonObject shared) {
            return new Operation.ConfigWritten("saved", true);
        }

        @Override
        public int apiPort() {
            return 52415;
        }

        @Override
        public boolean restart() {
            boolean first = !restarting;
            restarting = true;
            return first;
        }
    }

    private Services start(String name) throws IOException {
        Path own = Files.createDirectories(home.resolve(name));
        Path cards = Files.createDirectories(own.resolve("custom_model_cards"));
        Files.writeString(cards.resolve("org--small.toml"), card("org/small", 1 << 20, "llama"));
        Files.writeString(cards.resolve("org--huge.toml"), card("org/huge", 1L << 40, "llama"));
        Files.writeString(cards.resolve("org--odd.toml"), card("org/odd", 1 << 20, "odd"));
        Home place = Home.of(Optional.of(own), Map.of());
        place.create();
        Control control = new Control(own);
        controls.put(name, control);
        Registry registry = new Registry();
        Services services = ClusterServices.create(new NodeContext(
                new NodeId(name),
                new Configuration(
                        own.resolve("skulk.yaml"),
                        false,
                        Map.of("cluster.membership", new Configuration.Setting(Json.of("hub"), "test")),
                        Map.of(),
                        Map.of()),
                place,
                new Installation(Optional.empty(), Path.of(System.getProperty("java.home"), "bin", "java")),
                registry,
                control));
        List<Extension> offers = List.of(hub.membership(), new Youngest(), new Refusing("no such layers"));
        registry.publish(new Offers(offers.stream()
                .map(e -> new Offers.Origin(e, "test", own, List.of()))
                .toList()));
        services.start();
        await().until(() -> services.cluster().view().nodes().containsKey(new NodeId(name)));
        return services;
    }

    private static String card(String id, long bytes, String family) {
        return """
                model_id = "%s"
                n_layers = 4
                hidden_size = 64
                supports_tensor = true
                tasks = ["TextGeneration"]
                family = "%s"
                [storage_size]
                in_bytes = %d
                """.formatted(id, family, bytes);
    }

    private static Operation.PlaceInstance place(String model, int nodes) {
        return new Operation.PlaceInstance(
                new ModelId(model), Sharding.PIPELINE, InstanceMeta.MLX_RING, nodes, Set.of());
    }

    private static String refusal(Services node, Operation<?> operation, Problem.Kind kind) {
        SkulkException e =
                assertThrows(SkulkException.class, () -> node.cluster().call(operation));
        assertEquals(kind, e.problem().kind(), e.getMessage());
        return e.getMessage();
    }

    @Test
    void placesShowsAndDeletes() throws Exception {
        try (Services node = start("n1")) {
            assertEquals(
                    MODEL, node.cluster().call(place("org/small", 1)).card().modelId());
            Instance placed =
                    node.cluster().view().instances().values().iterator().next();
            assertEquals(MODEL, placed.modelId());
            assertFalse(node.cluster().call(new Operation.ReadReadiness()).ready(), "it is not serving yet");
            node.cluster().call(new Operation.DeleteInstance(placed.instanceId()));
            assertTrue(node.cluster().view().instances().isEmpty());
            assertEquals(
                    "Instance not found",
                    refusal(node, new Operation.DeleteInstance(placed.instanceId()), Problem.Kind.NOT_FOUND));
            assertTrue(node.cluster().call(new Operation.ReadReadiness()).ready());
        }
    }

    @Test
    void refusesInTheRightWords() throws Exception {
        try (Services node = start("n1")) {
            assertTrue(
                    refusal(node, place("org/huge", 1), Problem.Kind.USER_ERROR).startsWith("No candidate cycle fits"));
            assertEquals(
                    "No runner takes org/odd: mlx: no such layers",
                    refusal(node, place("org/odd", 1), Problem.Kind.USER_ERROR));
            assertTrue(refusal(node, place("org/none", 1), Problem.Kind.USER_ERROR)
                    .startsWith("Failed to load model card:"));
            Operation.PlaceInstance tensor =
                    new Operation.PlaceInstance(MODEL, Sharding.TENSOR, InstanceMeta.MLX_RING, 1, Set.of());
            assertTrue(refusal(node, tensor, Problem.Kind.USER_ERROR).contains("there are [Pipeline]"));
            assertEquals(
                    "Command not found or already completed",
                    refusal(
                            node,
                            new Operation.CancelCommand(skulk.api.cluster.CommandId.random()),
                            Problem.Kind.NOT_FOUND));
        }
    }

    private boolean known(String node, String key) throws IOException {
        return FileKeyStore.open(JsonObject.EMPTY, home.resolve(node))
                .ring()
                .find(key, () -> true)
                .isPresent();
    }

    @Test
    void keysCountOnEveryNodeAndAreWithdrawnOnEveryNode() throws Exception {
        try (Services first = start("n1")) {
            Operation.CreateApiKey wish = new Operation.CreateApiKey("ci", List.of("infer"), 2, 600);
            Operation.ApiKey early = first.cluster().call(wish);
            String key = early.key().orElseThrow();
            try (Services second = start("n2")) {
                await("who comes later learns").until(() -> known("n2", key));
                assertEquals(
                        2,
                        second.cluster()
                                .call(new Operation.ListApiKeys())
                                .getFirst()
                                .maxConcurrent());
                refusal(second, wish, Problem.Kind.CONFLICT);
                await().until(() -> first.cluster().view().members().size() == 2);
                Operation.ApiKey late = second.cluster().call(new Operation.CreateApiKey("x", List.of("admin"), 0, 0));
                assertTrue(known("n1", late.key().orElseThrow()), "there before it was told");
                assertTrue(second.cluster().call(new Operation.DeleteApiKey("ci")));
                assertFalse(known("n1", key), "gone before that was told");
            }
            await().until(() -> first.cluster().view().members().size() == 1);
            assertTrue(first.cluster().call(new Operation.DeleteApiKey("x")), "while the other is away");
            try (Services second = start("n2")) {
                await().until(() ->
                        second.cluster().call(new Operation.ListApiKeys()).isEmpty());
            }
        }
    }

    @Test
    void theLimitsOfAKeyCountOverAllNodes() throws Exception {
        try (Services first = start("n1")) {
            first.cluster().call(new Operation.CreateApiKey("single", List.of("infer"), 1, 0));
            first.cluster().call(new Operation.CreateApiKey("thrifty", List.of("infer"), 0, 1000));
            Quotas one = controls.get("n1").quotas();
            one.admit("thrifty").close(900);
            try (Services second = start("n2")) {
                Quotas two = controls.get("n2").quotas();
                await().until(() -> second.cluster().view().members().size() == 2);
                await("who comes later learns")
                        .until(() -> two.own().containsKey("thrifty")
                                && two.own().get("thrifty").used() > 0
                                && controls.get("n2")
                                        .keys()
                                        .ring()
                                        .byId("single")
                                        .isPresent());
                Quotas.Ticket there = two.admit("single");
                await().until(() -> refuses(one, "single"));
                there.close(0);
                await().until(() -> !refuses(one, "single"));
                two.admit("thrifty").close(100_000);
                await().until(() -> refuses(one, "thrifty"));
                two.admit("single");
                await().until(() -> refuses(one, "single"));
            }
            await("what was under way on a node that left").until(() -> !refuses(one, "single"));
        }
    }

    private static boolean refuses(Quotas quotas, String key) {
        try {
            quotas.admit(key).close(0);
            return false;
        } catch (SkulkException e) {
            return true;
        }
    }

    @Test
    void waitsForTheViewToSettleAndPlacesThen() throws Exception {
        try (Services first = start("n1")) {
            Thread joiner = Thread.ofVirtual().unstarted(() -> {
                try (Services second = start("n2")) {
                    await().atMost(Duration.ofSeconds(10))
                            .until(() -> !second.cluster().view().instances().isEmpty());
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            joiner.start();
            first.cluster().call(place("org/small", 2));
            assertEquals(2, first.cluster().view().members().size());
            joiner.join();
        }
    }

    @Test
    void previewsWithoutPlacing() throws Exception {
        try (Services node = start("n1")) {
            List<Operation.Preview> previews =
                    node.cluster().call(new Operation.PreviewPlacements(MODEL, Optional.empty(), Set.of()));
            assertEquals(1, previews.size(), previews.toString());
            assertTrue(previews.getFirst().instance().isPresent());
            List<Operation.Preview> huge = node.cluster()
                    .call(new Operation.PreviewPlacements(new ModelId("org/huge"), Optional.empty(), Set.of()));
            assertTrue(huge.stream()
                    .allMatch(p -> p.error().isPresent() && p.instance().isEmpty()));
            assertEquals(2, huge.size(), "one error per sharding and meta");
        }
    }

    @Test
    void aLostPlacementIsMadeAgainOnWhatIsLeft() throws Exception {
        try (Services first = start("n1");
                Services second = start("n2")) {
            await().until(() -> first.cluster().view().members().size() == 2);
            second.cluster().call(place("org/small", 1));
            await().until(() -> first.cluster().view().instances().size() == 1);
            Instance lost =
                    first.cluster().view().instances().values().iterator().next();
            assertEquals(
                    Set.of(new NodeId("n2")),
                    lost.shardAssignments().nodeToRunner().keySet());
            hub.cut(new NodeId("n2"));
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> first.cluster().view().instances().values().stream()
                            .anyMatch(i -> i.shardAssignments().nodeToRunner().containsKey(new NodeId("n1"))));
            assertFalse(first.cluster().view().instances().containsKey(lost.instanceId()));
        }
    }

    @Test
    void answersForOtherNodes() throws Exception {
        try (Services first = start("n1");
                Services second = start("n2")) {
            await().until(() -> first.cluster().view().members().size() == 2
                    && first.cluster().view().nodes().size() == 2);
            assertTrue(first.cluster().call(new Operation.SetTracing(true)));
            await().until(() -> second.cluster().view().tracingEnabled());
            JsonObject cluster = (JsonObject)
                    first.cluster().call(new Operation.Diagnose(Operation.DiagnosticScope.CLUSTER, Optional.empty()));
            assertEquals(2, cluster.array("nodes").orElseThrow().items().size());
            assertTrue(
                    cluster.array("nodes").orElseThrow().items().stream()
                            .allMatch(n -> ((JsonObject) n).bool("ok").orElse(false)),
                    cluster.toString());
            Operation.RestartReply sent = first.cluster().call(new Operation.Restart(Optional.of(new NodeId("n2"))));
            assertEquals("restart_sent", sent.status());
            assertEquals(
                    Problem.Kind.CONFLICT,
                    assertThrows(
                                    SkulkException.class,
                                    () -> first.cluster().call(new Operation.Restart(Optional.of(new NodeId("n2")))))
                            .problem()
                            .kind());
            assertEquals(
                    "restarting",
                    first.cluster()
                            .call(new Operation.Restart(Optional.empty()))
                            .status());
            assertTrue(first.cluster().call(new Operation.ReadMetrics()).contains("skulk_cluster_nodes 2"));
            assertTrue(first.cluster().call(new Operation.ListModels()).stream()
                    .anyMatch(e -> e.card().modelId().equals(MODEL) && !e.downloaded()));
        }
    }
}
