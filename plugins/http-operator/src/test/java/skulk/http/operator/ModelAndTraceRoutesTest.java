package skulk.http.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static skulk.api.fake.FakeClusterView.GB;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.fake.FakeClusterView;
import skulk.api.fake.FakeExchange;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.DiagnosticScope;
import skulk.api.operation.Operation.Span;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

class ModelAndTraceRoutesTest {
    private static FakeExchange delete(Operator operator, String template, String... parameters) {
        FakeExchange exchange = new FakeExchange();
        for (int i = 0; i < parameters.length; i += 2) {
            exchange.pathParameter(parameters[i], parameters[i + 1]);
        }
        return exchange.run(operator.feature, "DELETE", template);
    }

    // ---- models and files

    @Test
    void addingAModelAnswersItsCatalogEntry() {
        var card = FakeClusterView.card("org/m", GB, Optional.of(8));
        Operator operator = new Operator().answering(op -> new Operation.CatalogEntry(card, false));
        JsonObject entry =
                operator.post("/models/add", "{\"model_id\":\"org/m\"}").jsonResponse();
        assertEquals("org/m", entry.string("id").orElseThrow());
        assertEquals("m", entry.string("name").orElseThrow());
        assertEquals(953, entry.integer("storage_size_megabytes").orElseThrow());
        assertTrue(entry.object("resolved_capabilities").orElseThrow().has("thinking_format"));
        operator.answering(op -> {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "no backend has org/x");
        });
        FakeExchange failed = operator.post("/models/add", "{\"model_id\":\"org/x\"}");
        assertEquals(400, failed.status());
        assertTrue(failed.text().contains("Failed to fetch model: no backend has org/x"));
        assertEquals(422, operator.post("/models/add", "{}").status());
    }

    @Test
    void customModelsAreDeletedById() {
        Operator operator =
                new Operator().answering(op -> op.equals(new Operation.DeleteCustomModel(new ModelId("org/m"))));
        assertEquals(
                "{\"message\":\"Model card deleted\",\"model_id\":\"org/m\"}",
                delete(operator, "/models/custom/{id+}", "id", "org/m").text());
        for (String id : List.of("org/other", "not a model", "../x")) {
            FakeExchange missing = delete(operator, "/models/custom/{id+}", "id", id);
            assertEquals(404, missing.status());
            assertTrue(missing.text().contains("Custom model card not found"));
        }
    }

    @Test
    void downloadsStartInEitherSpelling() {
        var shard = StateRoutesTest.instance().shardAssignments().shardOf(new NodeId("a"));
        Operator operator = new Operator().answering(op -> new CommandId("c1"));
        for (String[] names :
                new String[][] {{"targetNodeId", "shardMetadata"}, {"target_node_id", "shard_metadata"}}) {
            JsonObject body = JsonObject.builder()
                    .put(names[0], "n1")
                    .put(names[1], JsonObject.of("PipelineShardMetadata", tagged(shard)))
                    .build();
            assertEquals(
                    "{\"commandId\":\"c1\"}",
                    operator.post("/download/start", body.toString()).text());
            assertEquals(new Operation.StartDownload(new NodeId("n1"), shard), operator.last());
        }
        assertEquals(
                422,
                operator.post("/download/start", "{\"targetNodeId\":\"n1\",\"shardMetadata\":{\"X\":{}}}")
                        .status());
        assertEquals(
                "{\"commandId\":\"c1\"}",
                delete(operator, "/download/{node}/{model+}", "node", "n1", "model", "org/m")
                        .text());
        assertEquals(new Operation.CancelDownload(new NodeId("n1"), new ModelId("org/m")), operator.last());
    }

    @Test
    void aWholeModelIsDownloadedByItsName() {
        var card = StateRoutesTest.instance()
                .shardAssignments()
                .shardOf(new NodeId("a"))
                .modelCard();
        Operator operator = new Operator().answering(op -> switch (op) {
            case Operation.ListModels o -> List.of(new Operation.CatalogEntry(card, false));
            default -> new CommandId("c1");
        });
        String body = "{\"modelId\":\"%s\",\"targetNodeId\":\"n1\"}".formatted(card.modelId());
        assertEquals(
                "{\"commandId\":\"c1\"}", operator.post("/download/start", body).text());
        var whole = skulk.api.cluster.Shard.PipelineShardMetadata.of(card, 0, 1, 0, card.nLayers());
        assertEquals(new Operation.StartDownload(new NodeId("n1"), whole), operator.last());
        assertEquals(
                422,
                operator.post("/download/start", "{\"targetNodeId\":\"n1\"}").status());
    }

    private static Json tagged(skulk.api.cluster.Shard shard) {
        return ((JsonObject) Records.toJson(shard)).members().firstEntry().getValue();
    }

    @Test
    void storageHasTheRunbooksShape() {
        Operator operator = new Operator()
                .answering(op -> new Operation.StorageReport(
                        new NodeId("a"),
                        Optional.empty(),
                        List.of(new Operation.StagedModel(new ModelId("org/m"), "/s/org--m", 5, 1.5, true)),
                        5,
                        6,
                        7,
                        8));
        assertEquals(
                "{\"nodeId\":\"a\",\"stagingRoot\":null,\"stagedModels\":[{\"modelId\":\"org/m\",\"directory\":\"/s/org--m\",\"sizeBytes\":5,\"lastUsedEpochSeconds\":1.5,\"inUse\":true}],"
                        + "\"stagedTotalBytes\":5,\"eventLogBytes\":6,\"diskTotalBytes\":7,\"diskFreeBytes\":8}",
                operator.get("/store/storage").text());
        operator.answering(op -> JsonObject.of("nodes", List.of()));
        assertEquals("{\"nodes\":[]}", operator.get("/store/storage/cluster").text());
    }

    @Test
    void purgingWantsABody() {
        Operator operator = new Operator().answering(op -> new CommandId("c1"));
        assertEquals(
                "{\"commandId\":\"c1\",\"message\":\"Purge staging command broadcast to all nodes\"}",
                operator.post("/store/purge-staging", "{}").text());
        assertEquals(new Operation.PurgeStaging(Optional.empty()), operator.last());
        for (String name : List.of("modelId", "model_id")) {
            FakeExchange one = operator.post("/store/purge-staging", "{\"" + name + "\":\"org/m\"}");
            assertTrue(one.text().contains("broadcast to all nodes for model org/m"));
            assertEquals(new Operation.PurgeStaging(Optional.of(new ModelId("org/m"))), operator.last());
        }
        assertEquals(422, operator.post("/store/purge-staging", "").status());
        assertEquals(
                422,
                operator.post("/store/purge-staging", "{\"model\":\"org/m\"}").status());
        assertEquals(
                422,
                operator.post("/store/purge-staging", "{\"modelId\":\"a/b\",\"model_id\":\"a/b\"}")
                        .status());
    }

    // ---- diagnostics

    @Test
    void diagnosticsNameTheirScope() {
        Operator operator = new Operator().showing(StateRoutesTest.full()).answering(op -> JsonObject.of("ok", true));
        operator.get("/v1/diagnostics/node");
        assertEquals(new Operation.Diagnose(DiagnosticScope.NODE, Optional.empty()), operator.last());
        operator.get("/v1/diagnostics/cluster");
        assertEquals(new Operation.Diagnose(DiagnosticScope.CLUSTER, Optional.empty()), operator.last());
        operator.get("/v1/diagnostics/cluster/timeline");
        assertEquals(new Operation.Diagnose(DiagnosticScope.TIMELINE, Optional.empty()), operator.last());
        operator.get("/v1/diagnostics/cluster/{node}", new FakeExchange().pathParameter("node", "b"));
        assertEquals(new Operation.Diagnose(DiagnosticScope.NODE, Optional.of(new NodeId("b"))), operator.last());
        FakeExchange unknown =
                operator.get("/v1/diagnostics/cluster/{node}", new FakeExchange().pathParameter("node", "z"));
        assertEquals(404, unknown.status());
        assertTrue(unknown.text().contains("Node diagnostics endpoint not reachable: z"));
    }

    @Test
    void captureAndCancelCheckTheirBodies() {
        Operator operator = new Operator().showing(StateRoutesTest.full()).answering(op -> JsonObject.of("ok", true));
        operator.post("/v1/diagnostics/node/capture", "{}");
        assertEquals(
                new Operation.CaptureDiagnostics(Optional.empty(), Optional.empty(), Optional.empty(), true, 3.0),
                operator.last());
        new FakeExchange()
                .pathParameter("node", "b")
                .body(
                        "{\"runner_id\":\"r1\",\"taskId\":\"t1\",\"includeProcessSamples\":false,\"sampleDurationSeconds\":10}")
                .run(operator.feature, "POST", "/v1/diagnostics/cluster/{node}/capture");
        assertEquals(
                new Operation.CaptureDiagnostics(
                        Optional.of(new NodeId("b")), Optional.of("r1"), Optional.of("t1"), false, 10),
                operator.last());
        assertEquals(
                422,
                operator.post("/v1/diagnostics/node/capture", "{\"sampleDurationSeconds\":11}")
                        .status());
        new FakeExchange()
                .pathParameter("id", "r1")
                .body("{\"task_id\":\"t1\"}")
                .run(operator.feature, "POST", "/v1/diagnostics/node/runners/{id}/cancel");
        assertEquals(new Operation.CancelTask(Optional.empty(), "r1", "t1"), operator.last());
        assertEquals(
                422,
                new FakeExchange()
                        .pathParameter("id", "r1")
                        .body("{}")
                        .run(operator.feature, "POST", "/v1/diagnostics/node/runners/{id}/cancel")
                        .status());
    }

    // ---- traces

    private static Span span(String name, String category, int rank, long start, long duration) {
        return new Span(
                name,
                start,
                duration,
                rank,
                category,
                new NodeId("a"),
                new ModelId("org/m"),
                "text",
                List.of(),
                JsonObject.of("k", 1));
    }

    private static Operation.TraceInfo info() {
        return new Operation.TraceInfo(
                "t1",
                Instant.parse("2026-01-02T03:04:05.5Z"),
                10,
                new ModelId("org/m"),
                "text",
                List.of("decode"),
                List.of(),
                false,
                List.of(new Operation.TraceSource(new NodeId("a"), "box")));
    }

    private static Operator tracing() {
        var trace = new Operation.Trace(
                info(),
                List.of(
                        span("prefill", "prefill", 0, 100, 50),
                        span("decode_step", "decode", 0, 150, 10),
                        span("decode_step", "decode", 1, 160, 30)));
        return new Operator().answering(op -> switch (op) {
            case Operation.ListTraces l -> List.of(info());
            case Operation.ReadTrace r when r.taskId().equals("t1") -> trace;
            case Operation.ReadTrace r -> throw new SkulkException(Problem.Kind.NOT_FOUND, "nothing");
            case Operation.DeleteTraces d -> List.of("t1");
            case Operation.SetTracing s -> s.enabled();
            default -> throw new AssertionError(op);
        });
    }

    private static FakeExchange trace(String template, String id) {
        return new FakeExchange().pathParameter("id", id).run(tracing().feature, "GET", template);
    }

    @Test
    void tracingIsSwitched() {
        Operator operator = tracing();
        assertEquals("{\"enabled\":false}", operator.get("/v1/tracing").text());
        assertEquals(
                "{\"enabled\":true}",
                new FakeExchange()
                        .body("{\"enabled\":true}")
                        .run(operator.feature, "PUT", "/v1/tracing")
                        .text());
        assertEquals(
                422,
                new FakeExchange()
                        .body("{}")
                        .run(operator.feature, "PUT", "/v1/tracing")
                        .status());
    }

    @Test
    void tracesAreListedWithAnOffset() {
        JsonObject entry = (JsonObject) tracing()
                .get("/v1/traces")
                .jsonResponse()
                .array("traces")
                .orElseThrow()
                .items()
                .getFirst();
        assertEquals(
                "2026-01-02T03:04:05.500000+00:00", entry.string("createdAt").orElseThrow());
        assertEquals(
                "[{\"nodeId\":\"a\",\"friendlyName\":\"box\"}]",
                entry.array("sourceNodes").orElseThrow().toString());
        Operator operator = tracing();
        operator.get("/v1/traces/cluster");
        assertEquals(new Operation.ListTraces(true), operator.last());
    }

    @Test
    void aTraceIsSummedUp() {
        assertEquals(
                3,
                trace("/v1/traces/{id}", "t1")
                        .jsonResponse()
                        .array("traces")
                        .orElseThrow()
                        .size());
        JsonObject stats = trace("/v1/traces/{id}/stats", "t1").jsonResponse();
        assertEquals(90, stats.integer("totalWallTimeUs").orElseThrow());
        assertEquals(
                "{\"totalUs\":40,\"count\":2,\"minUs\":10,\"maxUs\":30,\"avgUs\":20.0}",
                stats.object("byCategory")
                        .orElseThrow()
                        .object("decode")
                        .orElseThrow()
                        .toString());
        assertEquals(
                "{\"byCategory\":{\"decode\":{\"totalUs\":30,\"count\":1,\"minUs\":30,\"maxUs\":30,\"avgUs\":30.0}}}",
                stats.object("byRank").orElseThrow().object("1").orElseThrow().toString());
    }

    @Test
    void theRawFormOpensInChrome() {
        FakeExchange raw = trace("/v1/traces/cluster/{id}/raw", "t1");
        assertEquals(
                "attachment; filename=\"trace_t1.json\"",
                raw.response().headers().get("Content-Disposition"));
        var events = raw.jsonResponse().array("traceEvents").orElseThrow().items();
        assertEquals(5, events.size());
        assertEquals(
                "{\"name\":\"prefill\",\"cat\":\"prefill\",\"ph\":\"X\",\"ts\":100,\"dur\":50,\"pid\":0,\"tid\":0,\"args\":{\"rank\":0,\"node_id\":\"a\",\"model_id\":\"org/m\",\"task_kind\":\"text\",\"tags\":[],\"attrs\":{\"k\":1}}}",
                events.get(0).toString());
        assertEquals(
                "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":0,\"tid\":1,\"args\":{\"name\":\"Rank 1\"}}",
                events.get(4).toString());
    }

    @Test
    void missingTracesAreNamed() {
        for (String template :
                List.of("/v1/traces/{id}", "/v1/traces/{id}/stats", "/v1/traces/{id}/raw", "/v1/traces/cluster/{id}")) {
            FakeExchange missing = trace(template, "t9");
            assertEquals(404, missing.status());
            assertTrue(missing.text().contains("Trace not found: t9"));
        }
    }

    @Test
    void deletingTellsWhatWasThere() {
        assertEquals(
                "{\"deleted\":[\"t1\"],\"notFound\":[\"t2\"]}",
                tracing()
                        .post("/v1/traces/delete", "{\"task_ids\":[\"t1\",\"t2\"]}")
                        .text());
        assertEquals(422, tracing().post("/v1/traces/delete", "{}").status());
    }
}
