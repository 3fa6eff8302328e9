package skulk.http.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Download;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeHealth;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Task;
import skulk.api.cluster.TaskId;
import skulk.api.cluster.TaskStatus;
import skulk.api.fake.FakeClusterView;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;

class StateRoutesTest {
    static final Set<String> KEYS = Set.of(
            "instances",
            "runners",
            "tasks",
            "downloads",
            "lastSeen",
            "topology",
            "tracingEnabled",
            "lastEventAppliedIdx",
            "nodeIdentities",
            "node_identities",
            "nodeMemory",
            "nodeDisk",
            "nodeSystem",
            "nodeNetwork",
            "nodeThunderbolt",
            "nodeThunderboltBridge",
            "thunderboltBridgeCycles",
            "nodeRdmaCtl",
            "nodeHealth",
            "nodeResources");

    static Instance instance() {
        ModelCard card = FakeClusterView.card("org/m", GB, Optional.of(8));
        Shard shard = Shard.PipelineShardMetadata.of(card, 0, 1, 0, 32);
        var assignments = new Instance.ShardAssignments(
                new ModelId("org/m"), Map.of(new RunnerId("r1"), shard), Map.of(new NodeId("a"), new RunnerId("r1")));
        return new Instance.MlxRingInstance(
                new InstanceId("i1"),
                assignments,
                Optional.of(4096),
                Map.of(new NodeId("a"), List.of(new Instance.Host("0.0.0.0", 50000))),
                50000,
                Set.of());
    }

    static ClusterView full() {
        ClusterView base = new FakeClusterView()
                .node("a", 16 * GB, 8 * GB)
                .nodeWithoutMemory("b")
                .edge("a", "b", 120, GB)
                .build();
        Shard shard = instance().shardAssignments().shardOf(new NodeId("a"));
        Task task = new Task.TextGeneration(
                new TaskId("t1"),
                TaskStatus.RUNNING,
                new InstanceId("i1"),
                new CommandId("c1"),
                new NodeId("a"),
                JsonObject.of("model", "org/m"),
                false,
                Optional.empty(),
                Optional.empty());
        return new ClusterView(
                base.self(),
                base.master(),
                1,
                base.members(),
                Map.of(new InstanceId("i1"), instance()),
                Map.of(new RunnerId("r1"), new RunnerStatus.RunnerLoading(3, 32)),
                Map.of(new TaskId("t1"), task),
                Map.of(
                        new NodeId("a"),
                        List.of(new Download.DownloadCompleted(
                                new NodeId("a"), shard, "/models/org--m", new Memory(GB), false))),
                base.nodes(),
                base.topology(),
                Map.of(
                        new NodeId("b"),
                        new NodeHealth("warn", List.of(new NodeHealth.Reason("disk_low", "9 GB left", "Free some")))),
                true,
                17);
    }

    private static JsonObject at(JsonObject object, String... path) {
        for (String name : path) {
            object = object.object(name).orElseThrow(() -> new AssertionError("no " + name));
        }
        return object;
    }

    @Test
    void anEmptyClusterHasEveryKey() {
        JsonObject state = new Operator().get("/state").jsonResponse();
        assertEquals(KEYS, state.members().keySet());
        assertEquals(-1, state.integer("lastEventAppliedIdx").orElseThrow());
        assertEquals(JsonObject.EMPTY, at(state, "instances"));
        assertEquals("{\"nodes\":[],\"connections\":{}}", at(state, "topology").toString());
    }

    @Test
    void stateHasTheContractsShapes() {
        JsonObject state = new Operator().showing(full()).get("/state").jsonResponse();
        assertEquals(KEYS, state.members().keySet());
        JsonObject ring = at(state, "instances", "i1", "MlxRingInstance");
        assertEquals(4096, ring.integer("contextTokenLimit").orElseThrow());
        assertEquals(
                "[{\"ip\":\"0.0.0.0\",\"port\":50000}]",
                at(ring, "hostsByNode").array("a").orElseThrow().toString());
        JsonObject shard = at(ring, "shardAssignments", "runnerToShard", "r1", "PipelineShardMetadata");
        assertEquals(
                GB, at(shard, "modelCard", "storageSize").integer("inBytes").orElseThrow());
        assertEquals(
                "r1", at(ring, "shardAssignments", "nodeToRunner").string("a").orElseThrow());
        assertEquals(
                "{\"RunnerLoading\":{\"layersLoaded\":3,\"totalLayers\":32}}",
                at(state, "runners", "r1").toString());
        assertEquals(
                "Running",
                at(state, "tasks", "t1", "TextGeneration").string("taskStatus").orElseThrow());
        JsonObject download = (JsonObject)
                at(state, "downloads").array("a").orElseThrow().items().getFirst();
        assertEquals(
                "/models/org--m",
                at(download, "DownloadCompleted").string("modelDirectory").orElseThrow());
        assertEquals("2026-01-02T03:04:05Z", at(state, "lastSeen").string("a").orElseThrow());
        assertEquals(2, at(state, "lastSeen").members().size());
        assertEquals(at(state, "nodeIdentities"), at(state, "node_identities"));
        assertEquals(
                "name-b",
                at(state, "node_identities", "b").string("friendlyName").orElseThrow());
        assertEquals(
                16 * GB,
                at(state, "nodeMemory", "a", "ramTotal").integer("inBytes").orElseThrow());
        assertFalse(at(state, "nodeMemory").has("b"), "no memory reported");
        assertEquals("warn", at(state, "nodeHealth", "b").string("level").orElseThrow());
        assertEquals(
                "{\"level\":\"ok\",\"reasons\":[]}",
                at(state, "nodeHealth", "a").toString());
        assertEquals(
                "eth0",
                ((JsonObject) at(state, "nodeNetwork", "a")
                                .array("interfaces")
                                .orElseThrow()
                                .items()
                                .getFirst())
                        .string("name")
                        .orElseThrow());
        assertTrue(at(state, "nodeResources", "a").has("dataTransport"));
        assertTrue(state.bool("tracingEnabled").orElseThrow());
        assertEquals(17, state.integer("lastEventAppliedIdx").orElseThrow());
    }

    @Test
    void edgesAreMultiaddresses() {
        JsonObject state = new Operator().showing(full()).get("/state").jsonResponse();
        JsonObject edge = (JsonObject) at(state, "topology", "connections", "a")
                .array("b")
                .orElseThrow()
                .items()
                .getFirst();
        assertEquals(
                "{\"address\":\"/ip4/10.0.0.98/tcp/52415\",\"address_type\":\"ip4\",\"ip_address\":\"10.0.0.98\",\"port\":52415}",
                at(edge, "sinkMultiaddr").toString());
        assertEquals(120.0, edge.number("latencyMicros").orElseThrow());
    }

    @Test
    void aNodeThatLeftIsNowhere() {
        ClusterView view = full();
        ClusterView without = new ClusterView(
                view.self(),
                view.master(),
                2,
                List.of(new NodeId("a")),
                view.instances(),
                view.runners(),
                view.tasks(),
                view.downloads(),
                view.nodes(),
                view.topology(),
                view.nodeHealth(),
                false,
                18);
        JsonObject state = new Operator().showing(without).get("/state").jsonResponse();
        for (String key : List.of(
                "lastSeen", "nodeIdentities", "node_identities", "nodeHealth", "nodeNetwork", "nodeResources")) {
            assertEquals(Set.of("a"), at(state, key).members().keySet(), key);
        }
    }

    @Test
    void nodeIdIsAString() {
        assertEquals("\"self\"", new Operator().get("/node_id").text());
    }

    @Test
    void identityNamesTheHost() {
        Operator operator = new Operator()
                .answering(op ->
                        new Operation.NodeFacts(new NodeId("self"), "box", "10.0.0.7", "Box", 52415, "0.1.0", "/home"));
        assertEquals(
                "{\"nodeId\":\"self\",\"hostname\":\"box\",\"ipAddress\":\"10.0.0.7\"}",
                operator.get("/node/identity").text());
    }

    @Test
    void eventsAreOneArrayAndTheLogIsClosed() {
        for (int count : new int[] {0, 1, 5000}) {
            AtomicBoolean closed = new AtomicBoolean();
            Operator operator = new Operator()
                    .answering(op -> IntStream.range(0, count)
                            .<Json>mapToObj(i -> JsonObject.of("TaskDeleted", JsonObject.of("event_id", "e" + i)))
                            .onClose(() -> closed.set(true)));
            JsonArray events = (JsonArray) Json.parse(operator.get("/events").streamed());
            assertEquals(count, events.size());
            assertTrue(closed.get());
        }
    }

    @Test
    void readinessDecidesTheStatus() {
        Operator operator =
                new Operator().answering(op -> new Operation.Readiness(false, List.of("rank 0 of i1 is stuck")));
        var exchange = operator.get("/readyz");
        assertEquals(503, exchange.status());
        assertEquals("{\"ready\":false,\"reasons\":[\"rank 0 of i1 is stuck\"]}", exchange.text());
        assertEquals(
                200,
                new Operator()
                        .answering(op -> new Operation.Readiness(true, List.of()))
                        .get("/readyz")
                        .status());
        assertEquals(200, new Operator().get("/livez").status());
    }

    @Test
    void metricsArePrometheusText() {
        var exchange = new Operator().answering(op -> "skulk_up 1\n").get("/metrics");
        assertEquals(
                "text/plain; version=0.0.4; charset=utf-8", exchange.response().contentType());
        assertEquals("skulk_up 1\n", exchange.text());
    }
}
