package skulk.api.cluster;

import java.util.Optional;
import skulk.api.json.JsonObject;

/**
 * Work that a request caused, as {@code /state} and {@code /events} show it (contract section 1.3). Reported after the fact: no request waits for it.
 *
 * <p>{@code taskParams} has snake_case keys and carries the prompt.
 */
public sealed interface Task {
    TaskId taskId();

    TaskStatus taskStatus();

    InstanceId instanceId();

    CommandId commandId();

    NodeId ownerNode();

    record TextGeneration(
            TaskId taskId,
            TaskStatus taskStatus,
            InstanceId instanceId,
            CommandId commandId,
            NodeId ownerNode,
            JsonObject taskParams,
            boolean traceEnabled,
            Optional<String> errorType,
            Optional<String> errorMessage)
            implements Task {}

    record TextEmbedding(
            TaskId taskId,
            TaskStatus taskStatus,
            InstanceId instanceId,
            CommandId commandId,
            NodeId ownerNode,
            JsonObject taskParams,
            boolean traceEnabled,
            Optional<String> errorType,
            Optional<String> errorMessage)
            implements Task {}
}
