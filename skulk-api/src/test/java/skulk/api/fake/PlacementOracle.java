package skulk.api.fake;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementRequest;
import skulk.api.model.ModelCard;

/** What placement may choose from, worked out the slow and obvious way, to hold strategies against (contract sections 9.1 and 9.2). For a handful of nodes. */
public final class PlacementOracle {
    private final ClusterView view;

    public PlacementOracle(ClusterView view) {
        this.view = view;
    }

    /** Every set of at least {@code minNodes} nodes that may take part and that a directed cycle joins; single nodes are cycles. */
    public List<Set<NodeId>> candidates(PlacementRequest request) {
        List<NodeId> allowed = view.members().stream()
                .filter(node -> !request.excluded().contains(node))
                .toList();
        List<Set<NodeId>> found = new ArrayList<>();
        for (int bits = 1; bits < 1 << allowed.size(); bits++) {
            Set<NodeId> set = new HashSet<>();
            for (int i = 0; i < allowed.size(); i++) {
                if ((bits >> i & 1) == 1) {
                    set.add(allowed.get(i));
                }
            }
            if (set.size() >= request.minNodes() && joined(set)) {
                found.add(set);
            }
        }
        return found;
    }

    private boolean joined(Set<NodeId> set) {
        NodeId first = set.iterator().next();
        Set<NodeId> rest = new HashSet<>(set);
        rest.remove(first);
        return set.size() == 1 || walk(first, first, rest);
    }

    private boolean walk(NodeId first, NodeId at, Set<NodeId> left) {
        if (left.isEmpty()) {
            return edge(at, first);
        }
        for (NodeId next : left) {
            Set<NodeId> rest = new HashSet<>(left);
            rest.remove(next);
            if (edge(at, next) && walk(first, next, rest)) {
                return true;
            }
        }
        return false;
    }

    private boolean edge(NodeId from, NodeId to) {
        return !view.topology().edges(from, to).isEmpty();
    }

    /** Whether a share of 0…1 fits a node without a graphics card. */
    public boolean fits(NodeId node, ModelCard card, double share) {
        NodeInfo.MemoryUsage memory = view.nodes().get(node).memory().orElseThrow();
        double usable = Math.min(
                memory.ramAvailable().inBytes(), 0.75 * memory.ramTotal().inBytes());
        double kv = card.numKeyValueHeads()
                .map(heads -> 2.0 * card.nLayers() * 8192 * heads * 128 * 2)
                .orElse(0.0);
        return share * card.storageSize().inBytes() * 1.3 + kv * share + (256 << 20) <= usable;
    }
}
