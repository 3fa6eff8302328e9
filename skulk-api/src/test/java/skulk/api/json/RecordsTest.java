package skulk.api.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerStatus;
import skulk.api.cluster.RunnerStatus.RunnerLoading;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.model.ModelId;

class RecordsTest {
    public record Sample(
            int count, Optional<Double> ratio, List<NodeId> nodes, Map<NodeId, Long> bytes, RunnerStatus status) {}

    @Test
    void writesCasesOfSealedTypesAsOneKeyObjects() {
        assertEquals(
                "{\"RunnerLoading\":{\"layersLoaded\":1,\"totalLayers\":2}}",
                Records.toJson(new RunnerLoading(1, 2)).toString());
        assertEquals(
                "{\"RunnerLoading\":{\"layers_loaded\":1,\"total_layers\":2}}",
                Records.toSnakeJson(new RunnerLoading(1, 2)).toString());
    }

    @Test
    void readsBackWhatItWrote() {
        Sample sample = new Sample(
                3,
                Optional.of(0.5),
                List.of(new NodeId("a")),
                Map.of(new NodeId("b"), 7L),
                new RunnerStatus.RunnerReady());
        assertEquals(sample, Records.fromJson(Records.toJson(sample), Sample.class));
        assertEquals(sample, Records.fromJson(Records.toSnakeJson(sample), Sample.class));
    }

    @Test
    void readsAbsentCollectionsAndOptionalsAsEmptyAndIgnoresUnknownMembers() {
        Json json = Json.parse("{\"count\":1,\"status\":{\"RunnerIdle\":{}},\"later\":true}");
        assertEquals(
                new Sample(1, Optional.empty(), List.of(), Map.of(), new RunnerStatus.RunnerIdle()),
                Records.fromJson(json, Sample.class));
    }

    @Test
    void namesTheComponentThatDoesNotFit() {
        Json json = Json.parse("{\"count\":\"x\",\"status\":{\"RunnerIdle\":{}}}");
        JsonException e = assertThrows(JsonException.class, () -> Records.fromJson(json, Sample.class));
        assertTrue(e.getMessage().contains("Sample.count"), e.getMessage());
    }

    @Test
    void carriesWholeGenerationRequests() {
        GenerationRequest request = new GenerationRequest(
                CommandId.random(),
                new ModelId("org/name"),
                new GenerationRequest.Prompt.Conversation(
                        List.of(Message.of("user", "hi")),
                        List.of(),
                        new GenerationRequest.ToolChoice.None(),
                        true,
                        Map.of("x", new JsonNumber("1"))),
                Sampling.DEFAULT,
                new GenerationRequest.OutputShape.JsonSchema("n", JsonObject.of("type", "object"), true),
                Optional.of(5),
                List.of("stop"),
                Optional.empty(),
                GenerationRequest.ReasoningWish.NONE,
                "me",
                List.of(1, 2));
        assertEquals(request, Records.fromJson(Records.toJson(request), GenerationRequest.class));
    }

    /** Keys that are numbers, times. */
    public record Timed(Map<Integer, Double> bias, java.time.Duration after) {}

    @Test
    void carriesNumbersAsKeysAndDurations() {
        Timed timed = new Timed(Map.of(7, 0.5, -1, 2.0), java.time.Duration.ofMillis(1500));
        assertEquals(timed, Records.fromJson(Json.parse(Records.toJson(timed).toString()), Timed.class));
        JsonException e = assertThrows(
                JsonException.class, () -> Records.fromJson(Json.parse("{\"bias\":{\"x\":1}}"), Timed.class));
        assertTrue(e.getMessage().contains("Timed.bias"), e.getMessage());
    }
}
