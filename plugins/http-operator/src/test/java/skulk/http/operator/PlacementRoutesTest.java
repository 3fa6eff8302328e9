package skulk.http.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.PlacementDecision.Forecast;
import skulk.api.cluster.Sharding;
import skulk.api.fake.FakeClusterView;
import skulk.api.fake.FakeExchange;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class PlacementRoutesTest {
    private static final Operation.Receipt RECEIPT =
            new Operation.Receipt(new CommandId("c1"), FakeClusterView.card("org/m", GB, Optional.of(8)));

    private static JsonObject violation(FakeExchange exchange) {
        assertEquals(422, exchange.status(), exchange::text);
        return (JsonObject)
                exchange.jsonResponse().array("detail").orElseThrow().items().getFirst();
    }

    private static String message(FakeExchange exchange, int status) {
        assertEquals(status, exchange.status(), exchange::text);
        return exchange.jsonResponse()
                .object("error")
                .orElseThrow()
                .string("message")
                .orElseThrow();
    }

    @Test
    void placingUsesTheContractsDefaults() {
        Operator operator = new Operator().answering(op -> RECEIPT);
        FakeExchange exchange = operator.post("/place_instance", "{\"model_id\":\"org/m\"}");
        assertEquals(
                new Operation.PlaceInstance(
                        new ModelId("org/m"), Sharding.PIPELINE, InstanceMeta.MLX_RING, 1, Set.of()),
                operator.last());
        JsonObject reply = exchange.jsonResponse();
        assertEquals(
                Set.of("message", "command_id", "model_card"), reply.members().keySet());
        assertEquals("Command received.", reply.string("message").orElseThrow());
        assertEquals(
                "org/m",
                reply.object("model_card").orElseThrow().string("modelId").orElseThrow());
    }

    @Test
    void theConfigurationChoosesTheStrategyThatRequestsDoNotName() {
        Operator operator = new Operator(JsonObject.of("placement", JsonObject.of("default", "Tensor")));
        operator.answering(op -> RECEIPT).post("/place_instance", "{\"model_id\":\"org/m\"}");
        assertEquals(Sharding.TENSOR, ((Operation.PlaceInstance) operator.last()).sharding());
        SkulkException e = assertThrows(
                SkulkException.class, () -> new Operator(JsonObject.of("placement", JsonObject.of("default", "Rows"))));
        assertTrue(e.getMessage().contains("Rows"), e.getMessage());
    }

    @Test
    void placingPassesEverythingOn() {
        Operator operator = new Operator().answering(op -> RECEIPT);
        operator.post(
                "/place_instance",
                "{\"model_id\":\"org/m\",\"sharding\":\"Tensor\",\"instance_meta\":\"MlxJaccl\",\"min_nodes\":3,\"excluded_nodes\":[\"x\"]}");
        assertEquals(
                new Operation.PlaceInstance(
                        new ModelId("org/m"), Sharding.TENSOR, InstanceMeta.MLX_JACCL, 3, Set.of(new NodeId("x"))),
                operator.last());
    }

    @Test
    void wrongBodiesAreNamed() {
        Operator operator = new Operator();
        assertEquals(
                "{\"type\":\"missing\",\"loc\":[\"body\",\"model_id\"],\"msg\":\"Field required\",\"input\":{}}",
                violation(operator.post("/place_instance", "{}")).toString());
        JsonObject sharding = violation(operator.post("/place_instance", "{\"model_id\":\"m\",\"sharding\":\"Rows\"}"));
        assertEquals("enum", sharding.string("type").orElseThrow());
        assertEquals(
                "Input should be 'Tensor' or 'Pipeline'", sharding.string("msg").orElseThrow());
        assertEquals(
                "'Tensor' or 'Pipeline'",
                sharding.object("ctx").orElseThrow().string("expected").orElseThrow());
        assertEquals(
                "json_invalid",
                violation(operator.post("/place_instance", "{")).string("type").orElseThrow());
        assertEquals(
                "missing",
                violation(operator.post("/place_instance", "")).string("type").orElseThrow());
        assertEquals(
                "extra_forbidden",
                violation(operator.post("/place_instance", "{\"model_id\":\"m\",\"nodes\":2}"))
                        .string("type")
                        .orElseThrow());
        violation(operator.post("/place_instance", "{\"model_id\":\"m\",\"min_nodes\":0}"));
        violation(operator.post("/place_instance", "{\"model_id\":\"m\",\"excluded_nodes\":[1]}"));
        assertTrue(operator.cluster.calls().isEmpty());
    }

    @Test
    void refusalsKeepTheirStatus() {
        Operator refusing = new Operator().answering(op -> {
            throw new SkulkException(Problem.Kind.USER_ERROR, "No candidate cycle fits org/m");
        });
        assertEquals(
                "No candidate cycle fits org/m",
                message(refusing.post("/place_instance", "{\"model_id\":\"org/m\"}"), 400));
        Operator waiting = new Operator().answering(op -> {
            throw new SkulkException(Problem.Kind.NOT_READY, "Memory info not gathered yet (waited 15s)");
        });
        assertTrue(message(waiting.post("/place_instance", "{\"model_id\":\"org/m\"}"), 503)
                .endsWith(" (waited 15s)"));
    }

    @Test
    void unknownModelsAreTheCallersMistake() {
        Operator operator = new Operator().answering(op -> {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "no card of org/none");
        });
        String expected = "Failed to load model card: no card of org/none";
        assertEquals(expected, message(operator.post("/place_instance", "{\"model_id\":\"org/none\"}"), 400));
        assertEquals(
                expected,
                message(
                        operator.get("/instance/previews", new FakeExchange().queryParameter("model_id", "org/none")),
                        400));
        assertEquals(
                expected,
                message(
                        operator.get("/instance/placement", new FakeExchange().queryParameter("model_id", "org/none")),
                        400));
        assertTrue(message(operator.post("/place_instance", "{\"model_id\":\"../etc\"}"), 400)
                .startsWith("Failed to load model card: "));
    }

    @Test
    void previewsListEveryCombinationWithItsForecast() {
        Forecast forecast = new Forecast(12.5, 0.8, Map.of(new NodeId("a"), 2 * GB));
        Operator operator = new Operator()
                .answering(op -> List.of(
                        new Operation.Preview(
                                new ModelId("org/m"),
                                Sharding.PIPELINE,
                                InstanceMeta.MLX_RING,
                                Optional.of(StateRoutesTest.instance()),
                                Map.of(new NodeId("a"), GB),
                                Optional.of(forecast),
                                Optional.empty()),
                        new Operation.Preview(
                                new ModelId("org/m"),
                                Sharding.TENSOR,
                                InstanceMeta.MLX_JACCL,
                                Optional.empty(),
                                Map.of(),
                                Optional.empty(),
                                Optional.of("no RDMA"))));
        FakeExchange asked = new FakeExchange()
                .queryParameter("model_id", "org/m")
                .queryParameter("node_ids", "a", "b")
                .queryParameter("excluded_node_ids", "c");
        var previews = operator.get("/instance/previews", asked)
                .jsonResponse()
                .array("previews")
                .orElseThrow()
                .items();
        assertEquals(
                new Operation.PreviewPlacements(
                        new ModelId("org/m"),
                        Optional.of(Set.of(new NodeId("a"), new NodeId("b"))),
                        Set.of(new NodeId("c"))),
                operator.last());
        JsonObject first = (JsonObject) previews.get(0);
        assertTrue(first.object("instance").orElseThrow().has("MlxRingInstance"));
        assertEquals(
                "{\"a\":1000000000}",
                first.object("memory_delta_by_node").orElseThrow().toString());
        assertEquals(
                12.5,
                first.object("forecast")
                        .orElseThrow()
                        .number("tokens_per_second")
                        .orElseThrow());
        assertEquals(
                "{\"model_id\":\"org/m\",\"sharding\":\"Tensor\",\"instance_meta\":\"MlxJaccl\",\"instance\":null,\"memory_delta_by_node\":null,\"error\":\"no RDMA\",\"forecast\":null}",
                previews.get(1).toString());
    }

    @Test
    void queriesAreChecked() {
        Operator operator = new Operator();
        assertEquals(
                "[\"query\",\"model_id\"]",
                violation(operator.get("/instance/previews"))
                        .array("loc")
                        .orElseThrow()
                        .toString());
        JsonObject word = violation(operator.get(
                "/instance/placement",
                new FakeExchange().queryParameter("model_id", "m").queryParameter("sharding", "x")));
        assertEquals("enum", word.string("type").orElseThrow());
        assertEquals(
                "int_parsing",
                violation(operator.get(
                                "/instance/placement",
                                new FakeExchange()
                                        .queryParameter("model_id", "m")
                                        .queryParameter("min_nodes", "two")))
                        .string("type")
                        .orElseThrow());
        violation(operator.get(
                "/instance/placement",
                new FakeExchange().queryParameter("model_id", "m").queryParameter("min_nodes", "0")));
    }

    @Test
    void aPlanIsABareInstance() {
        Operator operator = new Operator().answering(op -> StateRoutesTest.instance());
        FakeExchange asked = new FakeExchange()
                .queryParameter("model_id", "org/m")
                .queryParameter("sharding", "Tensor")
                .queryParameter("min_nodes", "2");
        assertEquals(
                Records.toJson(StateRoutesTest.instance()),
                operator.get("/instance/placement", asked).jsonResponse());
        assertEquals(
                new Operation.PlanInstance(new ModelId("org/m"), Sharding.TENSOR, InstanceMeta.MLX_RING, 2),
                operator.last());
    }

    @Test
    void anInstanceIsCreatedAsGiven() {
        Operator operator = new Operator().showing(StateRoutesTest.full()).answering(op -> RECEIPT);
        String body = JsonObject.of("instance", Records.toJson(StateRoutesTest.instance()))
                .toString();
        assertEquals(200, operator.post("/instance", body).status());
        assertEquals(new Operation.CreateInstance(StateRoutesTest.instance()), operator.last());
        violation(operator.post("/instance", "{\"instance\":{\"MlxRingInstance\":{}}}"));
        violation(operator.post("/instance", "{\"instance\":{\"Other\":{}}}"));
        violation(operator.post("/instance", "{}"));
    }

    @Test
    void anInstanceLargerThanAllMemoryIsRefused() {
        Operator operator = new Operator()
                .showing(new FakeClusterView().node("a", GB, GB / 2).build())
                .answering(op -> RECEIPT);
        String body = JsonObject.of("instance", Records.toJson(StateRoutesTest.instance()))
                .toString();
        assertEquals(
                "Insufficient memory to create instance. Required: 1.0GB, Available: 0.5GB",
                message(operator.post("/instance", body), 400));
    }

    @Test
    void instancesAreReadAndDeletedById() {
        Operator operator = new Operator().showing(StateRoutesTest.full()).answering(op -> new CommandId("c9"));
        FakeExchange found = operator.get("/instance/{id}", new FakeExchange().pathParameter("id", "i1"));
        assertTrue(found.jsonResponse().has("MlxRingInstance"));
        assertEquals(
                "Instance not found",
                message(operator.get("/instance/{id}", new FakeExchange().pathParameter("id", "i2")), 404));
        FakeExchange deleted =
                new FakeExchange().pathParameter("id", "i1").run(operator.feature, "DELETE", "/instance/{id}");
        assertEquals(
                "{\"message\":\"Command received.\",\"command_id\":\"c9\",\"instance_id\":\"i1\"}", deleted.text());
        assertEquals(new Operation.DeleteInstance(new InstanceId("i1")), operator.last());
        assertEquals(
                "Instance not found",
                message(
                        new FakeExchange().pathParameter("id", "i2").run(operator.feature, "DELETE", "/instance/{id}"),
                        404));
    }

    @Test
    void requestsAreCancelledByTheirId() {
        Operator operator = new Operator().answering(op -> new CommandId("c1"));
        FakeExchange exchange =
                new FakeExchange().pathParameter("id", "c1").run(operator.feature, "POST", "/v1/cancel/{id}");
        assertEquals("{\"message\":\"Command cancelled.\",\"command_id\":\"c1\"}", exchange.text());
        operator.answering(op -> {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "gone");
        });
        assertEquals(
                "Command not found or already completed",
                message(
                        new FakeExchange().pathParameter("id", "c1").run(operator.feature, "POST", "/v1/cancel/{id}"),
                        404));
    }
}
