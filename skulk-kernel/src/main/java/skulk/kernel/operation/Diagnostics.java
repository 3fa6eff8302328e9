package skulk.kernel.operation;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.Task;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.operation.Operation.CancelTask;
import skulk.api.operation.Operation.CaptureDiagnostics;
import skulk.api.operation.Operation.DiagnosticScope;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Keys;
import skulk.kernel.rank.RankReport;

/** The shapes of contract section 12. */
final class Diagnostics {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Kit kit;
    private final Peers peers;

    Diagnostics(Kit kit, Peers peers) {
        this.kit = kit;
        this.peers = peers;
        kit.cluster().calls().answer("diagnostics", body -> node());
        kit.cluster().calls().answer("capture", body -> capture((JsonObject) body));
        kit.cluster().calls().answer("cancel-task", body -> cancel((JsonObject) body));
    }

    /** ISO-8601 with an offset, as these endpoints have it. */
    static String at(Instant instant) {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME
                .format(instant.atOffset(ZoneOffset.UTC))
                .replace("Z", "+00:00");
    }

    Json diagnose(DiagnosticScope scope, Optional<NodeId> node) {
        return switch (scope) {
            case NODE -> node.filter(n -> !peers.isSelf(n)).map(this::remote).orElseGet(this::node);
            case CLUSTER -> cluster();
            case TIMELINE -> timeline();
        };
    }

    private Json remote(NodeId node) {
        if (!kit.cluster().view().members().contains(node)) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Node diagnostics endpoint not reachable: " + node);
        }
        return peers.ask(node, "diagnostics", JsonObject.EMPTY);
    }

    private JsonObject node() {
        ClusterView view = kit.cluster().view();
        Optional<NodeInfo> info = Optional.ofNullable(view.nodes().get(view.self()));
        List<Json> runners = new ArrayList<>();
        List<Json> warnings = new ArrayList<>();
        for (RankReport report : kit.ranks().reports()) {
            runners.add(RunnerDiagnostics.of(report, view));
        }
        if (kit.log().countingOnly()) {
            warnings.add(new JsonString("the event log only counts events: the disk is nearly full"));
        }
        kit.ranks().stuck(Duration.ofSeconds(2)).forEach(s -> warnings.add(new JsonString(s)));
        return JsonObject.builder()
                .put("generatedAt", at(Instant.now()))
                .put("runtime", runtime(view, info))
                .put("identity", info.flatMap(NodeInfo::identity))
                .put("resources", resources(info))
                .put("processes", new JsonArray(Processes.list()))
                .put("supervisorRunners", new JsonArray(runners))
                .put("placements", new JsonArray(PlacementDiagnostics.of(view)))
                .put("warnings", new JsonArray(warnings))
                .build();
    }

    private JsonObject runtime(ClusterView view, Optional<NodeInfo> info) {
        var configuration = kit.node().configuration();
        Optional<NodeInfo.Identity> identity = info.flatMap(NodeInfo::identity);
        return JsonObject.builder()
                .put("nodeId", view.self())
                .put("hostname", NodeLife.hostname())
                .put("friendlyName", identity.map(NodeInfo.Identity::friendlyName))
                .put("isMaster", view.master().equals(Optional.of(view.self())))
                .put("masterNodeId", view.master())
                .put("cwd", Path.of("").toAbsolutePath().toString())
                .put("configPath", configuration.file().toString())
                .put("configFileExists", configuration.fileExists())
                .put("skulkVersion", identity.map(NodeInfo.Identity::skulkVersion))
                .put("skulkCommit", identity.map(NodeInfo.Identity::skulkCommit))
                .put("libp2PNamespace", configuration.get(Keys.NAMESPACE))
                .put("pythonUnbuffered", false)
                .put("tracingEnabled", view.tracingEnabled())
                .put("structuredLoggingConfigured", configuration.get(Keys.LOGGING))
                .put("loggingIngestUrl", configuration.get(Keys.LOGGING_URL))
                .build();
    }

    private static JsonObject resources(Optional<NodeInfo> info) {
        return JsonObject.builder()
                .put("gatheredMemory", info.flatMap(NodeInfo::memory))
                .put("currentMemory", info.flatMap(NodeInfo::memory))
                .put("currentWired", Optional.empty())
                .put("disk", info.flatMap(NodeInfo::disk))
                .put("system", info.flatMap(NodeInfo::system))
                .put("network", info.map(NodeInfo::network).orElse(List.of()))
                .build();
    }

    private Json cluster() {
        List<Json> nodes = new ArrayList<>();
        peers.askAll("diagnostics", JsonObject.EMPTY, PATIENCE)
                .forEach((node, answer) -> nodes.add(JsonObject.builder()
                        .put("nodeId", node)
                        .put("url", Optional.empty())
                        .put("ok", answer.ok())
                        .put("diagnostics", answer.ok() ? answer.body() : Json.NULL)
                        .put("error", answer.ok() ? Optional.empty() : Optional.of(answer.error()))
                        .build()));
        return head().put("nodes", new JsonArray(nodes)).build();
    }

    private JsonObject.Builder head() {
        ClusterView view = kit.cluster().view();
        return JsonObject.builder()
                .put("generatedAt", at(Instant.now()))
                .put("localNodeId", view.self())
                .put("masterNodeId", view.master());
    }

    private Json timeline() {
        List<Json> runners = new ArrayList<>();
        List<JsonObject> entries = new ArrayList<>();
        List<Json> unreachable = new ArrayList<>();
        Map<NodeId, Peers.Answer> answers = peers.askAll("diagnostics", JsonObject.EMPTY, PATIENCE);
        answers.forEach((node, answer) -> {
            if (!answer.ok()) {
                unreachable.add(JsonObject.builder()
                        .put("nodeId", node)
                        .put("url", Optional.empty())
                        .put("error", answer.error())
                        .build());
                return;
            }
            for (Json runner :
                    ((JsonObject) answer.body()).array("supervisorRunners").orElseThrow()) {
                runners.add(runner);
                entries.addAll(RunnerDiagnostics.timeline((JsonObject) runner));
            }
        });
        entries.sort(
                (a, b) -> a.string("at").orElse("").compareTo(b.string("at").orElse("")));
        return head().put("runners", new JsonArray(runners))
                .put("timeline", entries)
                .put("unreachableNodes", new JsonArray(unreachable))
                .build();
    }

    // ---- captures and cancels

    Json capture(CaptureDiagnostics wish) {
        JsonObject body = JsonObject.builder()
                .put("runnerId", wish.runnerId())
                .put("taskId", wish.taskId())
                .put("processSamples", wish.processSamples())
                .put("seconds", wish.seconds())
                .build();
        return wish.node()
                .filter(n -> !peers.isSelf(n))
                .map(n -> kit.cluster().calls().ask(n, "capture", body, PATIENCE.plusSeconds((long)
                        Math.ceil(wish.seconds()))))
                .orElseGet(() -> capture(body));
    }

    private Json capture(JsonObject wish) {
        ClusterView view = kit.cluster().view();
        Optional<CommandId> command =
                wish.string("taskId").map(id -> task(view, id).commandId());
        Optional<RankReport> rank = kit.ranks().reports().stream()
                .filter(r -> wish.string("runnerId")
                        .map(id -> id.equals(r.spec().runner().value()))
                        .orElse(true))
                .filter(r -> command.map(c -> r.inFlight().contains(c)).orElse(true))
                .findFirst();
        boolean narrowed = wish.string("runnerId").isPresent() || command.isPresent();
        if (narrowed && rank.isEmpty()) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "No runner on this node matches");
        }
        Optional<RankReport> shown = narrowed ? rank : Optional.empty();
        List<Json> samples = wish.bool("processSamples").orElse(false)
                ? Processes.sample(
                        rank.map(RankReport::pid), wish.number("seconds").orElse(3.0))
                : List.of();
        return JsonObject.builder()
                .put("generatedAt", at(Instant.now()))
                .put("nodeId", view.self())
                .put("nodeDiagnostics", node())
                .put("runner", shown.map(r -> RunnerDiagnostics.of(r, view)))
                .put(
                        "flightRecorder",
                        shown.map(r -> RunnerDiagnostics.recorder(r)).orElse(new JsonArray(List.of())))
                .put("mlxMemory", Optional.empty())
                .put("processSamples", new JsonArray(samples))
                .put("warnings", List.of())
                .build();
    }

    private static Task task(ClusterView view, String id) {
        return view.tasks().values().stream()
                .filter(t -> t.taskId().value().equals(id))
                .findFirst()
                .orElseThrow(() -> new SkulkException(Problem.Kind.NOT_FOUND, "Task not found: " + id));
    }

    Json cancel(CancelTask wish) {
        JsonObject body = JsonObject.builder()
                .put("runnerId", wish.runnerId())
                .put("taskId", wish.taskId())
                .build();
        return wish.node()
                .filter(n -> !peers.isSelf(n))
                .map(n -> peers.ask(n, "cancel-task", body))
                .orElseGet(() -> cancel(body));
    }

    private Json cancel(JsonObject wish) {
        String runner = wish.string("runnerId").orElseThrow();
        Task task = task(kit.cluster().view(), wish.string("taskId").orElseThrow());
        boolean here = kit.ranks().reports().stream()
                .anyMatch(r -> r.spec().runner().value().equals(runner));
        if (!here) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Runner not found on this node: " + runner);
        }
        String status = task.taskStatus().isFinal()
                ? "already_completed"
                : kit.ranks().cancel(task.commandId()) ? "cancel_requested" : "already_cancelled";
        return JsonObject.builder()
                .put("nodeId", peers.self())
                .put("runnerId", runner)
                .put("taskId", task.taskId())
                .put("status", status)
                .put("message", "Task %s: %s".formatted(task.taskId(), status.replace('_', ' ')))
                .build();
    }
}
