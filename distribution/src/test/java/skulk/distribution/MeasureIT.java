package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.JsonObject;

/** A node that has never run a model measures its engine by itself, tells it, and finds it again at the next start. */
class MeasureIT {
    private static final SkulkProcess.Machine MEASURING =
            new SkulkProcess.Machine(List.of(), Map.of("SKULK_MEASURE", "true"), "127.0.0.1");

    @TempDir
    private Path temp;

    @Test
    void theEngineIsMeasuredOnceAndKept() throws Exception {
        Path home = temp.resolve("home");
        JsonObject measured;
        try (SkulkProcess node = SkulkProcess.serve(MEASURING, home, "--set", "inference.threads=1")) {
            await().pollInterval(Duration.ofMillis(200))
                    .atMost(Duration.ofMinutes(2))
                    .until(() -> resources(node).object("engine").isPresent());
            measured = resources(node).object("engine").orElseThrow();
            JsonObject forecast = ((JsonObject) node.json("/instance/previews?model_id=" + ServingNode.TINY)
                            .array("previews")
                            .orElseThrow()
                            .items()
                            .getFirst())
                    .object("forecast")
                    .orElseThrow();
            assertTrue(forecast.number("tokens_per_second").orElseThrow() > 0, forecast.toString());
        }
        assertTrue(measured.number("layerSeconds").orElseThrow() >= 0, measured.toString());
        assertTrue(measured.number("attentionRate").orElseThrow() > 0, measured.toString());
        assertEquals(4, measured.array("formats").orElseThrow().items().size());
        measured.array("formats").orElseThrow().items().forEach(format -> {
            JsonObject speeds = (JsonObject) format;
            assertTrue(speeds.number("decodeRate").orElseThrow() > 0, speeds.toString());
            assertTrue(speeds.number("promptRate").orElseThrow() > 0, speeds.toString());
        });
        assertTrue(Files.exists(home.resolve("cache/engine-speed.json")));
        try (SkulkProcess node = SkulkProcess.serve(MEASURING, home, "--set", "inference.threads=1")) {
            await().atMost(TestCluster.PATIENCE)
                    .until(() -> resources(node).object("engine").isPresent());
            assertEquals(measured, resources(node).object("engine").orElseThrow(), "found, not measured again");
        }
    }

    private static JsonObject resources(SkulkProcess node) throws Exception {
        return node.json("/state")
                .object("nodeResources")
                .flatMap(r -> r.members().values().stream().findFirst())
                .map(JsonObject.class::cast)
                .orElse(JsonObject.EMPTY);
    }
}
