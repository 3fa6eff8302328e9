package skulk.kernel.cluster;

import java.util.Optional;
import skulk.api.cluster.Task;
import skulk.api.cluster.Task.TextEmbedding;
import skulk.api.cluster.Task.TextGeneration;
import skulk.api.cluster.TaskStatus;

/** Copies of tasks with something changed. */
final class Tasks {
    private Tasks() {}

    static Task withStatus(Task task, TaskStatus status) {
        return copy(task, status, Optional.empty(), Optional.empty());
    }

    static Task failed(Task task, String type, String message) {
        return copy(task, TaskStatus.FAILED, Optional.of(type), Optional.of(message));
    }

    private static Task copy(Task task, TaskStatus status, Optional<String> type, Optional<String> message) {
        return switch (task) {
            case TextGeneration t ->
                new TextGeneration(
                        t.taskId(),
                        status,
                        t.instanceId(),
                        t.commandId(),
                        t.ownerNode(),
                        t.taskParams(),
                        t.traceEnabled(),
                        type.or(t::errorType),
                        message.or(t::errorMessage));
            case TextEmbedding t ->
                new TextEmbedding(
                        t.taskId(),
                        status,
                        t.instanceId(),
                        t.commandId(),
                        t.ownerNode(),
                        t.taskParams(),
                        t.traceEnabled(),
                        type.or(t::errorType),
                        message.or(t::errorMessage));
        };
    }
}
