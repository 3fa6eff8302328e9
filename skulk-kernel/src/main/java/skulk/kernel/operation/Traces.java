package skulk.kernel.operation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNull;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.operation.Operation.Trace;
import skulk.api.operation.Operation.TraceInfo;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Traces of this node, or of all reachable ones without doubles. */
final class Traces {
    private final Kit kit;
    private final Peers peers;

    Traces(Kit kit, Peers peers) {
        this.kit = kit;
        this.peers = peers;
        kit.cluster()
                .calls()
                .answer("traces", body -> Records.toJson(kit.traces().list()));
        kit.cluster()
                .calls()
                .answer("trace", body -> Records.toJson(kit.traces().read(((JsonString) body).value())));
    }

    List<TraceInfo> list(boolean cluster) {
        if (!cluster) {
            return kit.traces().list();
        }
        Map<String, TraceInfo> byTask = new LinkedHashMap<>();
        peers.askAll("traces", JsonObject.EMPTY, Duration.ofSeconds(5)).forEach((node, answer) -> {
            if (answer.body() instanceof JsonArray array) {
                for (Json info : array) {
                    TraceInfo trace = Records.fromJson(info, TraceInfo.class);
                    byTask.putIfAbsent(trace.taskId(), trace);
                }
            }
        });
        List<TraceInfo> all = new ArrayList<>(byTask.values());
        all.sort(Comparator.comparing(TraceInfo::createdAt).reversed());
        return all;
    }

    Trace read(String taskId, boolean cluster) {
        Optional<Trace> here = kit.traces().read(taskId);
        if (here.isEmpty() && cluster) {
            here = peers.askAll("trace", new JsonString(taskId), Duration.ofSeconds(10)).values().stream()
                    .filter(a -> a.ok() && !(a.body() instanceof JsonNull))
                    .map(a -> Records.fromJson(a.body(), Trace.class))
                    .findFirst();
        }
        return here.orElseThrow(() -> new SkulkException(Problem.Kind.NOT_FOUND, "Trace not found: " + taskId));
    }
}
