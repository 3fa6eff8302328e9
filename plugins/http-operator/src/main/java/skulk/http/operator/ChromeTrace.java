package skulk.http.operator;

import java.util.ArrayList;
import java.util.List;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation.Span;
import skulk.api.operation.Operation.Trace;

/** A trace in the Trace Event Format that chrome://tracing and Perfetto open: one complete event per span, one thread per rank. */
final class ChromeTrace {
    private ChromeTrace() {}

    static JsonObject of(Trace trace) {
        List<Json> events = new ArrayList<>();
        trace.spans().forEach(span -> events.add(complete(span)));
        trace.spans().stream().map(Span::rank).distinct().sorted().forEach(rank -> events.add(threadName(rank)));
        return JsonObject.of("traceEvents", events);
    }

    private static JsonObject complete(Span span) {
        return JsonObject.builder()
                .put("name", span.name())
                .put("cat", span.category())
                .put("ph", "X")
                .put("ts", span.startUs())
                .put("dur", span.durationUs())
                .put("pid", 0)
                .put("tid", span.rank())
                .put(
                        "args",
                        JsonObject.builder()
                                .put("rank", span.rank())
                                .put("node_id", span.nodeId().value())
                                .put("model_id", span.modelId().value())
                                .put("task_kind", span.taskKind())
                                .put("tags", span.tags())
                                .put("attrs", span.attrs())
                                .build())
                .build();
    }

    private static JsonObject threadName(int rank) {
        return JsonObject.builder()
                .put("name", "thread_name")
                .put("ph", "M")
                .put("pid", 0)
                .put("tid", rank)
                .put("args", JsonObject.of("name", "Rank " + rank))
                .build();
    }
}
