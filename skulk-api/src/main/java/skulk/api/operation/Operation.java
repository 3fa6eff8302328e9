package skulk.api.operation;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Sharding;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/**
 * One thing to do or to ask, with the type of its answer. The kernel switches over this list with no default: it is the map of what plugins can have done.
 *
 * @param <R> the answer
 */
public sealed interface Operation<R> {

    // ---- placement (contract section 2)

    /** Dry-runs, then places; waits up to 15 s for missing information (runbook, "info-pending"). */
    record PlaceInstance(ModelId model, Sharding sharding, InstanceMeta meta, int minNodes, Set<NodeId> excluded)
            implements Operation<Receipt> {}

    /** Where a model would go. */
    record PlanInstance(ModelId model, Sharding sharding, InstanceMeta meta, int minNodes)
            implements Operation<Instance> {}

    /** Every combination of sharding, meta and node count, with why the others fail. */
    record PreviewPlacements(ModelId model, Optional<Set<NodeId>> only, Set<NodeId> excluded)
            implements Operation<List<Preview>> {}

    /** Creates exactly this instance. */
    record CreateInstance(Instance instance) implements Operation<Receipt> {}

    record DeleteInstance(InstanceId instance) implements Operation<CommandId> {}

    /** Cancels a request by the id the client got; NOT_FOUND where it is unknown or over. */
    record CancelCommand(CommandId command) implements Operation<CommandId> {}

    record Receipt(CommandId commandId, ModelCard card) {}

    /** Exactly one of instance and error is present. */
    record Preview(
            ModelId model,
            Sharding sharding,
            InstanceMeta meta,
            Optional<Instance> instance,
            Map<NodeId, Long> memoryDeltaByNode,
            Optional<skulk.api.cluster.PlacementDecision.Forecast> forecast,
            Optional<String> error) {}

    // ---- models and their files (contract section 8)

    /** The catalog. */
    record ListModels() implements Operation<List<CatalogEntry>> {}

    /** Adds a card for a model found on a storage backend. */
    record AddModel(ModelId model) implements Operation<CatalogEntry> {}

    /** False where there is no custom card of that name. */
    record DeleteCustomModel(ModelId model) implements Operation<Boolean> {}

    record CatalogEntry(ModelCard card, boolean downloaded) {}

    record StartDownload(NodeId node, Shard shard) implements Operation<CommandId> {}

    record CancelDownload(NodeId node, ModelId model) implements Operation<CommandId> {}

    /** The local node's storage picture (runbook, "Seeing the per-node picture"). */
    record ReadStorage() implements Operation<StorageReport> {}

    /** The storage picture of every reachable node; nodes that do not answer are listed with an error. */
    record ReadClusterStorage() implements Operation<Json> {}

    /** Removes not-in-use staged copies on all nodes. */
    record PurgeStaging(Optional<ModelId> model) implements Operation<CommandId> {}

    record StorageReport(
            NodeId nodeId,
            Optional<String> stagingRoot,
            List<StagedModel> stagedModels,
            long stagedTotalBytes,
            long eventLogBytes,
            long diskTotalBytes,
            long diskFreeBytes) {}

    record StagedModel(ModelId modelId, String directory, long sizeBytes, double lastUsedEpochSeconds, boolean inUse) {}

    // ---- the node (contract sections 1.5, 12, 13)

    record ListPlugins() implements Operation<List<PluginStatus>> {}

    /** Loads plugins that were dropped in since; answers the new list. */
    record RescanPlugins() implements Operation<List<PluginStatus>> {}

    /**
     * @param routes that its HTTP features serve, each as method, path and scope
     * @param state {@code FOUND}, {@code RESOLVED}, {@code STARTED}, {@code DRAINING}, {@code STOPPED} or {@code FAILED}
     */
    record PluginStatus(
            String id,
            String version,
            String file,
            List<String> offers,
            List<String> routes,
            String state,
            Optional<String> reason) {}

    /** The event log, oldest first, in the contract's snake_case form; close the stream. */
    record ReadEvents() implements Operation<Stream<Json>> {}

    record SetTracing(boolean enabled) implements Operation<Boolean> {}

    /** Traces, newest first; of this node or of all reachable ones. */
    record ListTraces(boolean cluster) implements Operation<List<TraceInfo>> {}

    /** The spans of one trace; NOT_FOUND "Trace not found: …". */
    record ReadTrace(String taskId, boolean cluster) implements Operation<Trace> {}

    /** Answers the ids that existed. */
    record DeleteTraces(List<String> taskIds) implements Operation<List<String>> {}

    record TraceInfo(
            String taskId,
            Instant createdAt,
            long fileSize,
            ModelId modelId,
            String taskKind,
            List<String> categories,
            List<String> tags,
            boolean hasToolActivity,
            List<TraceSource> sourceNodes) {}

    record TraceSource(NodeId nodeId, String friendlyName) {}

    record Trace(TraceInfo info, List<Span> spans) {}

    /** Microseconds since the epoch and of duration. */
    record Span(
            String name,
            long startUs,
            long durationUs,
            int rank,
            String category,
            NodeId nodeId,
            ModelId modelId,
            String taskKind,
            List<String> tags,
            JsonObject attrs) {}

    /** Diagnostics of this node, of a named one, or of all (contract section 12). */
    record Diagnose(DiagnosticScope scope, Optional<NodeId> node) implements Operation<Json> {}

    enum DiagnosticScope {
        NODE,
        CLUSTER,
        TIMELINE
    }

    /** A deep look at one runner or task; empty ids = the whole node. */
    record CaptureDiagnostics(
            Optional<NodeId> node,
            Optional<String> runnerId,
            Optional<String> taskId,
            boolean processSamples,
            double seconds)
            implements Operation<Json> {}

    /** Cancels a task of one runner. */
    record CancelTask(Optional<NodeId> node, String runnerId, String taskId) implements Operation<Json> {}

    /** Replaces the process image of this node (empty) or another. CONFLICT where one is pending. */
    record Restart(Optional<NodeId> node) implements Operation<RestartReply> {}

    record RestartReply(String status, NodeId nodeId) {}

    /** Whether the node can serve. */
    record ReadReadiness() implements Operation<Readiness> {}

    /** @param reasons why not; empty where ready */
    record Readiness(boolean ready, List<String> reasons) {
        public Readiness {
            reasons = List.copyOf(reasons);
        }
    }

    record ReadConfig() implements Operation<ConfigReply> {}

    /** @param config the new configuration, whole; validated, persisted, broadcast without secrets */
    record WriteConfig(JsonObject config) implements Operation<ConfigWritten> {}

    record ConfigReply(JsonObject config, String configPath, boolean fileExists, JsonObject effective) {}

    record ConfigWritten(String message, boolean requiresRestart) {}

    /** Prometheus text. */
    record ReadMetrics() implements Operation<String> {}

    /**
     * @param key the secret, shown once; empty in listings
     * @param maxConcurrent generations at a time on each node; 0 is without limit
     * @param tokensPerMinute of prompts and answers together on each node; 0 is without limit
     */
    record ApiKey(
            String id,
            Optional<String> key,
            List<String> scopes,
            int maxConcurrent,
            long tokensPerMinute,
            Instant createdAt) {}

    record ListApiKeys() implements Operation<List<ApiKey>> {}

    /** Makes a key that counts on every node; the limits are those of {@link ApiKey}. CONFLICT where the id is taken. */
    record CreateApiKey(String id, List<String> scopes, int maxConcurrent, long tokensPerMinute)
            implements Operation<ApiKey> {}

    /** Withdraws a key on every node that can be reached; the others hear of it when they are members again. */
    record DeleteApiKey(String id) implements Operation<Boolean> {}

    /** Facts about the running node that are not in the view. */
    record ReadNode() implements Operation<NodeFacts> {}

    record NodeFacts(
            NodeId nodeId,
            String hostname,
            String ipAddress,
            String friendlyName,
            int apiPort,
            String version,
            String home) {}
}
