package skulk.kernel.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import skulk.api.json.JsonObject;

class EngineMetricsTest {
    @Test
    void aReportBecomesGaugesCountersAndHistograms() {
        JsonObject histogram = JsonObject.builder()
                .put("bounds", List.of(0.1, 1))
                .put("counts", List.of(2, 0, 3))
                .put("sum", 7.5)
                .build();
        JsonObject report = JsonObject.builder()
                .put("queued", 4)
                .put("outputTokens", 12)
                .put("unknown", 1)
                .put("histograms", JsonObject.of("betweenTokens", histogram))
                .put("process", JsonObject.of("residentBytes", 4096))
                .build();
        String text = EngineMetrics.prometheus(Map.of(Map.of("model", "a\"b", "rank", "0"), report));
        List<String> lines =
                text.lines().filter(line -> !line.startsWith("# HELP")).toList();
        String labels = "model=\"a\\\"b\",rank=\"0\"";
        String name = "gen_ai_server_time_per_output_token_seconds";
        assertEquals(
                List.of(
                        "# TYPE skulk_engine_queue_requests gauge",
                        "skulk_engine_queue_requests{" + labels + "} 4",
                        "# TYPE skulk_engine_decode_tokens_total counter",
                        "skulk_engine_decode_tokens_total{" + labels + "} 12",
                        "# TYPE skulk_engine_resident_bytes gauge",
                        "skulk_engine_resident_bytes{" + labels + "} 4096",
                        "# TYPE " + name + " histogram",
                        name + "_bucket{" + labels + ",le=\"0.1\"} 2",
                        name + "_bucket{" + labels + ",le=\"1\"} 2",
                        name + "_bucket{" + labels + ",le=\"+Inf\"} 5",
                        name + "_sum{" + labels + "} 7.5",
                        name + "_count{" + labels + "} 5"),
                lines);
    }

    @Test
    void withoutEnginesThereIsNothingToTell() {
        assertEquals("", EngineMetrics.prometheus(Map.of()));
    }

    @Test
    void aProcessKnowsItsMemory() {
        System.gc();
        ProcessMemory memory = ProcessMemory.now();
        assertTrue(memory.heapBytes() > 0);
        assertTrue(memory.heapLiveBytes() > 0);
    }
}
