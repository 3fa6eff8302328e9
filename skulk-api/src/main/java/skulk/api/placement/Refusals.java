package skulk.api.placement;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementRequest;

/** The wording of refusals and waits (contract section 9.4): each names the node and the numbers, so that an operator can act on it. */
final class Refusals {
    private static final int CYCLES_NAMED = 4;

    private final PlacementRequest request;
    private final ClusterView cluster;

    Refusals(PlacementRequest request, ClusterView cluster) {
        this.request = request;
        this.cluster = cluster;
    }

    String tooFewNodes(int known) {
        return ("The topology has only %d node(s), so min_nodes=%d is impossible; a cycle needs that many nodes with bidirectional"
                        + " connectivity")
                .formatted(known, request.minNodes());
    }

    String embeds() {
        return "min_nodes=%d is impossible: %s makes embeddings, and such models run on one node"
                .formatted(request.minNodes(), request.card().modelId());
    }

    String tooManyNodes() {
        return "min_nodes=%d is impossible: an instance spans at most %d nodes"
                .formatted(request.minNodes(), RingSearch.MAX_NODES);
    }

    String notConnected(int known) {
        return "The topology knows %d nodes but none form a connected cycle of at least %d yet; retry shortly"
                .formatted(known, request.minNodes());
    }

    String memoryUnknown(Collection<NodeId> nodes) {
        return "Memory info not gathered yet for node(s) [%s]; retry shortly".formatted(names(nodes));
    }

    String excluded(int count) {
        return ("All cycles of at least %d node(s) touch an excluded node (%d excluded); node ids change with every session, re-read them from"
                        + " GET /state")
                .formatted(request.minNodes(), count);
    }

    String unable(List<NodeId> nodes) {
        String engines = request.card()
                .placement()
                .map(p -> String.join(", ", p.compatibleBackends()))
                .orElse("");
        return "All cycles of at least %d node(s) touch a node that cannot run %s: [%s] only manage or lack its backend%s"
                .formatted(
                        request.minNodes(),
                        request.card().modelId(),
                        names(nodes),
                        engines.isEmpty() ? "" : " (" + engines + ")");
    }

    String rdma() {
        return "Requested RDMA (MlxJaccl) but there are no RDMA-connected cycles; use MlxRing";
    }

    /** The misfits come smallest cycle first. */
    String memory(List<Placing.Misfit> misfits) {
        ModelDemand demand = ModelDemand.of(request.card());
        String cycles =
                misfits.stream().limit(CYCLES_NAMED).map(m -> cycle(m, demand)).collect(Collectors.joining("; "));
        String more = misfits.size() > CYCLES_NAMED ? "; larger cycles do not fit either" : "";
        return "No candidate cycle fits %s (%s of weights): %s%s"
                .formatted(request.card().modelId(), ModelDemand.gb(demand.weights()), cycles, more);
    }

    private String cycle(Placing.Misfit misfit, ModelDemand demand) {
        String nodes = names(misfit.parts().stream().map(Part::node).toList());
        String sharding =
                misfit.parts().size() == 1 ? "Pipeline" : request.sharding().toString();
        String lacking = misfit.parts().stream()
                .filter(p -> demand.required(p.share())
                        > misfit.budgets().get(p.node()).usable())
                .map(p -> node(p, misfit.budgets().get(p.node()), demand))
                .collect(Collectors.joining(", "));
        return "cycle [%s] (%s sharding): %s".formatted(nodes, sharding, lacking);
    }

    private String node(Part part, NodeBudget budget, ModelDemand demand) {
        return "node %s needs ~%s (%s weights + %s KV@%dtok + runtime headroom) but can use %s (%s)"
                .formatted(
                        name(part.node()),
                        ModelDemand.gb(demand.required(part.share())),
                        ModelDemand.gb(demand.weightBytes(part.share())),
                        ModelDemand.gb(demand.kvBytes(part.share())),
                        ModelDemand.KV_TOKENS,
                        ModelDemand.gb(budget.usable()),
                        budget.rule());
    }

    private String names(Collection<NodeId> nodes) {
        return nodes.stream().map(this::name).collect(Collectors.joining(", "));
    }

    /** The friendly name where the node has told it. */
    private String name(NodeId node) {
        return Optional.ofNullable(cluster.nodes().get(node))
                .flatMap(NodeInfo::identity)
                .map(NodeInfo.Identity::friendlyName)
                .filter(n -> !n.isBlank() && !n.equals("Unknown"))
                .orElse(node.value());
    }
}
