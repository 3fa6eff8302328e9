package skulk.kernel.inference;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.generation.GenerationEvent;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation.Span;
import skulk.api.operation.Operation.Trace;
import skulk.api.operation.Operation.TraceInfo;
import skulk.api.operation.Operation.TraceSource;

/**
 * Makes a trace of each request that began while tracing was on: the phases of contract section 12 as rank 0's events show them. Costs nothing for other requests.
 */
public final class Tracer {
    private static final String KIND = "text";
    private static final List<String> TAGS = List.of("text_generation");

    private final Supplier<ClusterView> view;
    private final Consumer<Trace> store;
    private final Map<CommandId, Recording> recordings = new ConcurrentHashMap<>();

    /** @param store takes finished traces; must not block */
    public Tracer(Supplier<ClusterView> view, Consumer<Trace> store) {
        this.view = view;
        this.store = store;
    }

    private static final class Recording {
        private final Instant began = Instant.now();
        private final long startedAt = System.nanoTime();
        private final List<Span> spans = new ArrayList<>();
        private final NodeId leader;
        private long mark = startedAt;
        private boolean streaming;
        private boolean tools;

        Recording(NodeId leader) {
            this.leader = leader;
        }

        /** Adds a span that ends now. */
        void add(InFlight request, String name, String category, long micros, JsonObject attrs) {
            long now = began.getEpochSecond() * 1_000_000
                    + began.getNano() / 1000
                    + (System.nanoTime() - startedAt) / 1000;
            spans.add(new Span(
                    name,
                    now - micros,
                    micros,
                    0,
                    category,
                    leader,
                    request.request().model(),
                    KIND,
                    TAGS,
                    attrs));
        }
    }

    void started(InFlight request, NodeId leader) {
        recordings.put(request.command(), new Recording(leader));
    }

    /** It goes on with another instance. */
    void resumed(InFlight request) {
        Recording recording = recordings.get(request.command());
        if (recording != null) {
            instant(
                    recording,
                    request,
                    "resumed",
                    "lifecycle",
                    JsonObject.of("instance", request.instance().instanceId().value()));
        }
    }

    void told(InFlight.Told told) {
        Recording recording = recordings.get(told.request().command());
        if (recording == null) {
            return;
        }
        InFlight request = told.request();
        switch (told.event()) {
            case GenerationEvent.Accepted accepted -> admitted(recording, request, accepted);
            case GenerationEvent.Text text -> first(recording, request);
            case GenerationEvent.ToolCallDelta delta -> {
                first(recording, request);
                if (!recording.tools) {
                    recording.tools = true;
                    instant(recording, request, "tool_call_emitted", "tooling", JsonObject.EMPTY);
                }
            }
            case GenerationEvent.Finished finished -> {
                span(
                        recording,
                        request,
                        "decode",
                        "decode",
                        JsonObject.builder()
                                .put("completion_tokens", finished.usage().completionTokens())
                                .put("tokens_per_second", finished.stats().generationTps())
                                .build());
                end(
                        recording,
                        request,
                        "finish",
                        JsonObject.of("reason", finished.reason().toString()));
            }
            case GenerationEvent.Failed(var problem) ->
                end(
                        recording,
                        request,
                        problem.code().equals("cancelled") ? "cancel" : "error",
                        JsonObject.of("message", problem.message()));
            case GenerationEvent.Prefill prefill -> {}
            case GenerationEvent.Committed committed -> {}
        }
    }

    private static void admitted(Recording recording, InFlight request, GenerationEvent.Accepted accepted) {
        JsonObject counts = JsonObject.builder()
                .put("prompt_tokens", accepted.promptTokens())
                .put("cached_tokens", accepted.cachedTokens())
                .build();
        span(recording, request, "queued", "lifecycle", counts);
        instant(recording, request, "admitted_to_batch", "lifecycle", JsonObject.EMPTY);
        instant(recording, request, "kv_cache_result", "kv_cache", counts);
    }

    private void first(Recording recording, InFlight request) {
        if (!recording.streaming) {
            recording.streaming = true;
            span(recording, request, "prefill", "prefill", JsonObject.EMPTY);
            instant(recording, request, "first_token", "decode", JsonObject.EMPTY);
        }
    }

    /** From the last mark until now. */
    private static void span(Recording recording, InFlight request, String name, String category, JsonObject attrs) {
        long now = System.nanoTime();
        recording.add(request, name, category, (now - recording.mark) / 1000, attrs);
        recording.mark = now;
    }

    private static void instant(Recording recording, InFlight request, String name, String category, JsonObject attrs) {
        recording.add(request, name, category, 0, attrs);
    }

    private void end(Recording recording, InFlight request, String name, JsonObject attrs) {
        recordings.remove(request.command());
        instant(recording, request, name, "lifecycle", attrs);
        String friendly = Optional.ofNullable(view.get().nodes().get(recording.leader))
                .flatMap(NodeInfo::identity)
                .map(NodeInfo.Identity::friendlyName)
                .orElse("");
        store.accept(new Trace(
                new TraceInfo(
                        request.task().value(),
                        recording.began,
                        0,
                        request.request().model(),
                        KIND,
                        recording.spans.stream().map(Span::category).distinct().toList(),
                        TAGS,
                        recording.tools,
                        List.of(new TraceSource(recording.leader, friendly))),
                List.copyOf(recording.spans)));
    }
}
