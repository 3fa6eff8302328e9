package skulk.kernel.operation;

import skulk.kernel.cluster.ClusterNode;
import skulk.kernel.event.EventLog;
import skulk.kernel.inference.Dispatcher;
import skulk.kernel.model.Catalog;
import skulk.kernel.node.NodeContext;
import skulk.kernel.rank.RankHost;
import skulk.kernel.storage.StorageService;
import skulk.kernel.telemetry.TelemetryBus;
import skulk.kernel.trace.TraceStore;

/** What operations work on: the parts of the cluster half of a node. */
public record Kit(
        NodeContext node,
        ClusterNode cluster,
        Dispatcher dispatcher,
        RankHost ranks,
        Catalog catalog,
        StorageService storage,
        EventLog log,
        TraceStore traces,
        TelemetryBus telemetry) {}
