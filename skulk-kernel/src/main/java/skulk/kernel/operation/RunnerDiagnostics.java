package skulk.kernel.operation;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Task;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.kernel.rank.RankReport;
import skulk.kernel.rank.RankReport.Note;

/** One rank in the contract's shape, section 12, {@code supervisorRunners}. */
final class RunnerDiagnostics {
    private RunnerDiagnostics() {}

    static JsonObject of(RankReport report, ClusterView view) {
        Shard shard = report.spec().shard();
        Optional<Note> phase = report.phases().isEmpty()
                ? Optional.empty()
                : Optional.of(report.phases().getLast());
        List<Json> tasks = new ArrayList<>();
        for (CommandId command : report.inFlight()) {
            view.tasks().values().stream()
                    .filter(t -> t.commandId().equals(command))
                    .forEach(t -> tasks.add(task(t, report)));
        }
        Optional<CommandId> active = report.inFlight().stream().findFirst();
        return JsonObject.builder()
                .put("runnerId", report.spec().runner())
                .put("instanceId", report.spec().instance().instanceId())
                .put("nodeId", view.self())
                .put("modelId", report.spec().instance().modelId())
                .put("deviceRank", shard.deviceRank())
                .put("worldSize", shard.worldSize())
                .put("startLayer", shard.startLayer())
                .put("endLayer", shard.endLayer())
                .put("nLayers", shard.nLayers())
                .put("pid", report.pid())
                .put("processAlive", report.alive())
                .put("exitCode", report.exitCode())
                .put("statusKind", report.status().getClass().getSimpleName())
                .put("statusSince", Diagnostics.at(report.statusSince()))
                .put("secondsInStatus", seconds(report.statusSince()))
                .put("phase", phase.map(Note::name).orElse("created"))
                .put("phaseStartedAt", phase.map(p -> Diagnostics.at(p.at())))
                .put("secondsInPhase", phase.map(p -> seconds(p.at())))
                .put("lastProgressAt", phase.map(p -> Diagnostics.at(p.at())))
                .put("activeTaskId", active.flatMap(c -> taskOf(view, c)).map(Task::taskId))
                .put("activeCommandId", active)
                .put(
                        "phaseDetail",
                        report.waiting().isEmpty() ? phase.map(Note::detail) : Optional.of(report.waiting()))
                .put("lastMlxMemory", Optional.empty())
                .put("flightRecorder", recorder(report))
                .put("pendingTaskIds", List.of())
                .put("inProgressTasks", new JsonArray(tasks))
                .put("completedTaskCount", report.completed())
                .put("cancelledTaskIds", List.of())
                .put("lastTaskSentAt", Optional.empty())
                .put("lastEventReceivedAt", Optional.empty())
                .put("lastEventType", Optional.empty())
                .put("milestones", milestones(report))
                .build();
    }

    private static Optional<Task> taskOf(ClusterView view, CommandId command) {
        return view.tasks().values().stream()
                .filter(t -> t.commandId().equals(command))
                .findFirst();
    }

    private static double seconds(Instant since) {
        return Duration.between(since, Instant.now()).toMillis() / 1e3;
    }

    private static JsonObject task(Task task, RankReport report) {
        return JsonObject.builder()
                .put("taskId", task.taskId())
                .put("taskKind", task.getClass().getSimpleName())
                .put("taskStatus", task.taskStatus())
                .put("instanceId", task.instanceId())
                .put("commandId", task.commandId())
                .put("runnerId", report.spec().runner())
                .put("modelId", report.spec().instance().modelId())
                .build();
    }

    static JsonArray recorder(RankReport report) {
        List<Json> entries = new ArrayList<>();
        for (Note note : report.phases()) {
            entries.add(JsonObject.builder()
                    .put("at", Diagnostics.at(note.at()))
                    .put("phase", note.name())
                    .put("event", "phase_change")
                    .put("detail", note.detail())
                    .put("attrs", JsonObject.EMPTY)
                    .put("context", Optional.empty())
                    .put("taskId", Optional.empty())
                    .put("commandId", Optional.empty())
                    .put("mlxMemory", Optional.empty())
                    .build());
        }
        return new JsonArray(entries);
    }

    private static JsonArray milestones(RankReport report) {
        List<Json> entries = new ArrayList<>();
        for (Note note : report.milestones()) {
            entries.add(JsonObject.builder()
                    .put("at", Diagnostics.at(note.at()))
                    .put("name", note.name())
                    .put("detail", note.detail())
                    .build());
        }
        return new JsonArray(entries);
    }

    /** The flight recorder and milestones of a runner's diagnostics as entries of one timeline. */
    static List<JsonObject> timeline(JsonObject runner) {
        List<JsonObject> entries = new ArrayList<>();
        for (String list : List.of("flightRecorder", "milestones")) {
            for (Json entry : runner.array(list).orElse(new JsonArray(List.of()))) {
                entries.add(((JsonObject) entry)
                        .with("runnerId", runner.string("runnerId").orElse(""))
                        .with("nodeId", runner.string("nodeId").orElse("")));
            }
        }
        return entries;
    }
}
