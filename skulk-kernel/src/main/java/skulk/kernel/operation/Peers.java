package skulk.kernel.operation;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Task;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** What nodes do for each other's operations: the topics of {@link skulk.kernel.cluster.Calls}, asked and answered. */
final class Peers {
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Kit kit;

    Peers(Kit kit) {
        this.kit = kit;
        var calls = kit.cluster().calls();
        calls.answer(
                "cancel", body -> new JsonBoolean(kit.dispatcher().cancel(Records.fromJson(body, CommandId.class))));
        calls.answer("restart", body -> new JsonBoolean(kit.node().control().restart()));
        calls.answer("storage", body -> storage());
        calls.answer("purge", body -> {
            kit.storage().purge(((JsonObject) body).string("model").map(ModelId::new));
            return Json.NULL;
        });
        calls.answer("download", body -> {
            kit.storage().ensure(Records.fromJson(body, Shard.class));
            return Json.NULL;
        });
        calls.answer(
                "download-cancel",
                body -> new JsonBoolean(kit.storage().cancel(Records.fromJson(body, ModelId.class))));
        calls.answer("config", body -> Records.toJson(kit.node().control().adoptConfig((JsonObject) body)));
    }

    private Json storage() {
        try {
            return Records.toJson(kit.storage().report(kit.log().bytes()));
        } catch (IOException e) {
            throw new SkulkException(
                    Problem.of(Problem.Kind.INTERNAL, "The storage cannot be read: " + e.getMessage()), e);
        }
    }

    NodeId self() {
        return kit.node().self();
    }

    boolean isSelf(NodeId node) {
        return node.equals(self());
    }

    /** What a node is called; its id where that is not known yet. */
    String name(NodeId node) {
        return Optional.ofNullable(kit.cluster().view().nodes().get(node))
                .flatMap(NodeInfo::identity)
                .map(NodeInfo.Identity::friendlyName)
                .orElse(node.value());
    }

    /** Asks one node, this one included. */
    Json ask(NodeId node, String topic, Json body) {
        if (!kit.cluster().view().members().contains(node)) {
            throw isSelf(node)
                    ? new SkulkException(Problem.Kind.NOT_READY, "This node is still joining its cluster")
                    : new SkulkException(Problem.Kind.NOT_FOUND, "Node not found: " + node);
        }
        return kit.cluster().calls().ask(node, topic, body, PATIENCE);
    }

    /** What a node answered, or why it did not. */
    record Answer(Json body, String error) {
        boolean ok() {
            return error.isEmpty();
        }
    }

    /** Asks all members at once, this one included. */
    Map<NodeId, Answer> askAll(String topic, Json body, Duration patience) {
        return ask(kit.cluster().view().members(), topic, body, patience);
    }

    /** Asks all members but this one. */
    Map<NodeId, Answer> askOthers(String topic, Json body, Duration patience) {
        List<NodeId> others = kit.cluster().view().members().stream()
                .filter(node -> !isSelf(node))
                .toList();
        return ask(others, topic, body, patience);
    }

    private Map<NodeId, Answer> ask(List<NodeId> nodes, String topic, Json body, Duration patience) {
        Map<NodeId, CompletableFuture<Json>> asked = new LinkedHashMap<>();
        for (NodeId node : nodes) {
            asked.put(
                    node,
                    kit.cluster()
                            .calls()
                            .askLater(node, topic, body)
                            .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS));
        }
        Map<NodeId, Answer> answers = new LinkedHashMap<>();
        asked.forEach((node, answer) -> {
            try {
                answers.put(node, new Answer(answer.join(), ""));
            } catch (CompletionException e) {
                String why = e.getCause() instanceof java.util.concurrent.TimeoutException
                        ? "no answer within %d s".formatted(patience.toSeconds())
                        : e.getCause().getMessage();
                answers.put(node, new Answer(Json.NULL, why));
            }
        });
        return answers;
    }

    /** The answers of all members as a list, with errors in the place of those that do not answer. */
    Json collect(String topic) {
        List<Json> all = new ArrayList<>();
        askAll(topic, JsonObject.EMPTY, PATIENCE).forEach((node, answer) -> {
            if (answer.ok()) {
                all.add(answer.body());
            } else {
                all.add(JsonObject.builder()
                        .put("nodeId", node)
                        .put("error", answer.error())
                        .build());
            }
        });
        return JsonObject.of("nodes", new JsonArray(all));
    }

    CommandId cancel(CommandId command) {
        boolean found = kit.dispatcher().cancel(command)
                || kit.cluster().view().tasks().values().stream()
                        .filter(t ->
                                t.commandId().equals(command) && !t.taskStatus().isFinal())
                        .map(Task::ownerNode)
                        .filter(owner -> !isSelf(owner))
                        .findFirst()
                        .map(owner -> ask(owner, "cancel", new JsonString(command.value()))
                                .equals(new JsonBoolean(true)))
                        .orElse(false);
        if (!found) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Command not found or already completed");
        }
        return command;
    }
}
