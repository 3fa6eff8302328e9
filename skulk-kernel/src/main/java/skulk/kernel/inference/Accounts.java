package skulk.kernel.inference;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import skulk.api.Telemetry;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Task;
import skulk.api.cluster.TaskId;
import skulk.api.cluster.TaskStatus;
import skulk.api.generation.GenerationEvent;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.telemetry.Reading;
import skulk.kernel.cluster.Event;
import skulk.kernel.inference.InFlight.Told;

/**
 * What the cluster's log, the event log and the metrics learn of requests: all of it after the fact and off the request's path. Safe for use by several threads.
 */
public final class Accounts {
    /** Tasks that have ended and are still shown. */
    private static final int SHOWN = 32;

    private final NodeId self;
    private final Consumer<Supplier<Event>> cluster;
    private final Consumer<Supplier<Event>> log;
    private final Telemetry telemetry;
    private final Deque<TaskId> over = new ArrayDeque<>();
    private final Map<CommandId, Boolean> running = new ConcurrentHashMap<>();

    /**
     * @param cluster takes facts for the control log
     * @param log takes events for the event log alone
     */
    public Accounts(
            NodeId self, Consumer<Supplier<Event>> cluster, Consumer<Supplier<Event>> log, Telemetry telemetry) {
        this.self = self;
        this.cluster = cluster;
        this.log = log;
        this.telemetry = telemetry;
    }

    void started(InFlight request, boolean traced, TaskStatus status) {
        TaskId task = request.task(); // those of this attempt, whenever the event is made
        InstanceId instance = request.instance().instanceId();
        cluster.accept(() -> new Event.TaskCreated(
                task,
                new Task.TextGeneration(
                        task,
                        status,
                        instance,
                        request.command(),
                        self,
                        TaskParams.of(request.request()),
                        traced,
                        Optional.empty(),
                        Optional.empty())));
    }

    /** The instance is lost, and with it the task; the request goes on as another one if it can. */
    void interrupted(InFlight request, Problem loss) {
        Event failed = new Event.TaskFailed(request.task(), loss.code(), loss.message());
        cluster.accept(() -> failed);
        forget(request.task());
        requests(request, "interrupted");
    }

    void resumed(InFlight request, boolean traced) {
        started(request, traced, TaskStatus.RUNNING);
        requests(request, "resumed");
    }

    void told(Told told) {
        InFlight request = told.request();
        switch (told.event()) {
            case GenerationEvent.Accepted accepted -> status(request, TaskStatus.RUNNING);
            case GenerationEvent.Text text -> {
                begun(request);
                chunk(request, () -> chunk(request).put("text", text.text()).put("finish_reason", Optional.empty()));
            }
            case GenerationEvent.Finished finished -> {
                chunk(
                        request,
                        () -> chunk(request)
                                .put("text", "")
                                .put("finish_reason", finished.reason().toString()));
                count(
                        "gen_ai_client_token_usage",
                        request,
                        "output",
                        finished.usage().completionTokens());
                count(
                        "gen_ai_client_token_usage",
                        request,
                        "input",
                        finished.usage().promptTokens());
                ended(request, "ok", new Event.TaskStatusUpdated(request.task(), TaskStatus.COMPLETE));
            }
            case GenerationEvent.Failed(var problem) -> {
                boolean cancelled = problem.code().equals("cancelled");
                String type = problem.code().isEmpty() ? problem.kind().reason() : problem.code();
                ended(
                        request,
                        cancelled ? "cancelled" : "failed",
                        cancelled
                                ? new Event.TaskStatusUpdated(request.task(), TaskStatus.CANCELLED)
                                : new Event.TaskFailed(request.task(), type, problem.message()));
            }
            case GenerationEvent.Prefill prefill -> {}
            case GenerationEvent.ToolCallDelta delta -> {
                begun(request);
                chunk(
                        request,
                        () -> chunk(request).put("tool_call", delta.arguments()).put("index", delta.index()));
            }
            case GenerationEvent.Committed committed -> {}
        }
    }

    private void begun(InFlight request) {
        if (running.putIfAbsent(request.command(), true) == null) {
            timing(request, "gen_ai_server_time_to_first_token");
        }
    }

    private static JsonObject.Builder chunk(InFlight request) {
        return JsonObject.builder().put("model", request.request().model());
    }

    private void chunk(InFlight request, Supplier<JsonObject.Builder> chunk) {
        log.accept(() -> new Event.ChunkGenerated(
                request.command(), JsonObject.of("TokenChunk", chunk.get().build())));
    }

    private void status(InFlight request, TaskStatus status) {
        Event event = new Event.TaskStatusUpdated(request.task(), status);
        cluster.accept(() -> event);
    }

    private void ended(InFlight request, String outcome, Event event) {
        running.remove(request.command());
        cluster.accept(() -> event);
        timing(request, "gen_ai_server_request_duration");
        requests(request, outcome);
        forget(request.task());
    }

    private void requests(InFlight request, String outcome) {
        telemetry.record(new Reading.Count(
                "skulk_requests", Map.of("model", request.request().model().value(), "outcome", outcome), 1));
    }

    private void forget(TaskId newest) {
        for (TaskId old : forgotten(newest)) {
            cluster.accept(() -> new Event.TaskDeleted(old));
        }
    }

    private synchronized List<TaskId> forgotten(TaskId newest) {
        over.addLast(newest);
        return over.size() > SHOWN ? List.of(over.removeFirst()) : List.of();
    }

    private void timing(InFlight request, String name) {
        telemetry.record(new Reading.Timing(
                name,
                Map.of("model", request.request().model().value()),
                Duration.ofNanos(System.nanoTime() - request.startedAt())));
    }

    private void count(String name, InFlight request, String type, int by) {
        telemetry.record(new Reading.Count(
                name, Map.of("model", request.request().model().value(), "type", type), by));
    }
}
