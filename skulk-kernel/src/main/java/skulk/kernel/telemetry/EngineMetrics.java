package skulk.kernel.telemetry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

/**
 * Reports of engines ({@code skulk.api.Runner#report}) as Prometheus text. They are asked for when somebody scrapes; between scrapes they cost nothing. Pure.
 */
public final class EngineMetrics {
    /** A metric by the report's member. */
    private record Named(String member, String metric, String help) {
        boolean counter() {
            return metric.endsWith("_total");
        }
    }

    private static final List<Named> NUMBERS = List.of(
            new Named("queued", "skulk_engine_queue_requests", "requests that wait for a place in the batch"),
            new Named("queuedTokens", "skulk_engine_queue_tokens", "prompt and output tokens of requests that wait"),
            new Named("active", "skulk_engine_batch_requests", "sequences in the batch"),
            new Named("openSequences", "skulk_engine_sequences_open", "sequences that hold KV blocks"),
            new Named("maxConcurrent", "skulk_engine_batch_limit", "most sequences in the batch"),
            new Named("contextLimit", "skulk_engine_context_limit_tokens", "longest sequence, prompt and output"),
            new Named("cacheBlocks", "skulk_engine_kv_blocks", "KV blocks that fit"),
            new Named("cacheBlocksFree", "skulk_engine_kv_blocks_free", "KV blocks that nobody holds"),
            new Named("cacheBlocksKept", "skulk_engine_kv_blocks_kept", "KV blocks in the prefix cache"),
            new Named("cacheBytes", "skulk_engine_kv_bytes", "bytes of KV blocks in use"),
            new Named("weightBytes", "skulk_engine_weight_bytes", "bytes of the weights"),
            new Named("steps", "skulk_engine_steps_total", "forward passes"),
            new Named("promptTokens", "skulk_engine_prefill_tokens_total", "prompt tokens computed"),
            new Named("cachedTokens", "skulk_engine_cached_tokens_total", "prompt tokens found in the prefix cache"),
            new Named("outputTokens", "skulk_engine_decode_tokens_total", "tokens generated"),
            new Named("acceptedDrafts", "skulk_engine_drafts_accepted_total", "guessed tokens that were right"),
            new Named("rejectedDrafts", "skulk_engine_drafts_rejected_total", "guessed tokens that were wrong"),
            new Named("finished", "skulk_engine_finished_total", "sequences that came to their end"),
            new Named("failed", "skulk_engine_failed_total", "sequences that failed"),
            new Named("cancelled", "skulk_engine_cancelled_total", "sequences that were cancelled"),
            new Named("overloaded", "skulk_engine_refused_total", "requests refused because the queue was full"),
            new Named("preempted", "skulk_engine_preempted_total", "sequences that gave up their place for a while"));

    private static final List<Named> HISTOGRAMS = List.of(
            new Named("queueWait", "skulk_engine_queue_wait_seconds", "from submission to a place in the batch"),
            new Named("firstToken", "skulk_engine_time_to_first_token_seconds", "from submission to the first token"),
            new Named("betweenTokens", "gen_ai_server_time_per_output_token_seconds", "between tokens of a stream"),
            new Named("batch", "skulk_engine_step_sequences", "sequences in a step"));

    private static final List<Named> PROCESS = List.of(
            new Named("residentBytes", "skulk_engine_resident_bytes", "resident memory of the rank's process"),
            new Named("heapBytes", "skulk_engine_heap_bytes", "heap of the rank's process, garbage included"),
            new Named("heapLiveBytes", "skulk_engine_heap_live_bytes", "heap of the rank after its last collection"));

    private EngineMetrics() {}

    /** @param reports by the labels of the rank they are from */
    public static String prometheus(Map<Map<String, String>, JsonObject> reports) {
        Map<String, JsonObject> byLabels = new LinkedHashMap<>();
        reports.forEach((labels, report) -> byLabels.put(labels(labels), report));
        StringBuilder out = new StringBuilder();
        for (Named number : NUMBERS) {
            number(out, number, byLabels);
        }
        Map<String, JsonObject> processes = new LinkedHashMap<>();
        byLabels.forEach((labels, report) -> report.object("process").ifPresent(p -> processes.put(labels, p)));
        for (Named number : PROCESS) {
            number(out, number, processes);
        }
        for (Named histogram : HISTOGRAMS) {
            histogram(out, histogram, byLabels);
        }
        return out.toString();
    }

    private static void number(StringBuilder out, Named named, Map<String, JsonObject> reports) {
        List<String> lines = new ArrayList<>();
        reports.forEach((labels, report) ->
                report.number(named.member).ifPresent(value -> lines.add(line(named.metric, labels, value))));
        family(out, named, named.counter() ? "counter" : "gauge", lines);
    }

    private static void histogram(StringBuilder out, Named named, Map<String, JsonObject> reports) {
        List<String> lines = new ArrayList<>();
        reports.forEach((labels, report) -> report.object("histograms")
                .flatMap(all -> all.object(named.member))
                .ifPresent(one -> lines.addAll(buckets(named.metric, labels, one))));
        family(out, named, "histogram", lines);
    }

    private static void family(StringBuilder out, Named named, String type, List<String> lines) {
        if (!lines.isEmpty()) {
            out.append("# HELP ")
                    .append(named.metric)
                    .append(' ')
                    .append(named.help)
                    .append('\n');
            out.append("# TYPE ").append(named.metric).append(' ').append(type).append('\n');
            lines.forEach(line -> out.append(line).append('\n'));
        }
    }

    private static List<String> buckets(String name, String labels, JsonObject histogram) {
        List<Json> bounds = histogram.array("bounds").map(JsonArray::items).orElse(List.of());
        List<Json> counts = histogram.array("counts").map(JsonArray::items).orElse(List.of());
        List<String> lines = new ArrayList<>();
        long sum = 0;
        for (int i = 0; i < counts.size(); i++) {
            sum += ((JsonNumber) counts.get(i)).toLong();
            String end = i < bounds.size() ? bounds.get(i).toString() : "+Inf";
            lines.add(line(name + "_bucket", labels + ",le=\"" + end + "\"", sum));
        }
        lines.add(line(name + "_sum", labels, histogram.number("sum").orElse(0.0)));
        lines.add(line(name + "_count", labels, sum));
        return lines;
    }

    private static String line(String name, String labels, double value) {
        return name + '{' + labels + "} " + Metrics.text(value);
    }

    private static String labels(Map<String, String> labels) {
        return labels.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(e -> e.getKey() + "=\"" + Metrics.escaped(e.getValue()) + '"')
                .collect(Collectors.joining(","));
    }
}
