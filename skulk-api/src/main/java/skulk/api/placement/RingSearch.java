package skulk.api.placement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Topology;

/**
 * Finds, for every set of nodes, the simple directed cycle through exactly those nodes with the least latency (contract section 9.1). Preference
 * and memory depend on the set alone, so one cycle per set is enough, and the number of cycles (factorial) becomes the number of sets: dynamic
 * programming over sets (Held and Karp, 1962) in O(2ⁿ n²).
 *
 * <p>At most {@value #MAX_NODES} nodes are considered; a caller with more passes the most useful ones first.
 */
public final class RingSearch {
    /** 65,536 sets, about 20 ms. */
    public static final int MAX_NODES = 16;

    private static final float UNMEASURED_MICROS = 500;
    private static final float NONE = Float.POSITIVE_INFINITY;

    private final List<NodeId> nodes;
    private final float[][] cost;
    private final float[] best;
    private final byte[] previous;

    public RingSearch(List<NodeId> nodes, Topology topology) {
        this.nodes = List.copyOf(nodes.subList(0, Math.min(nodes.size(), MAX_NODES)));
        int n = this.nodes.size();
        cost = costs(this.nodes, topology);
        best = new float[n << n];
        previous = new byte[n << n];
        Arrays.fill(best, NONE);
        for (int start = 0; start < n; start++) {
            best[(1 << start) * n + start] = 0;
        }
        for (int set = 1; set < 1 << n; set++) {
            extend(set);
        }
    }

    private static float[][] costs(List<NodeId> nodes, Topology topology) {
        int n = nodes.size();
        float[][] cost = new float[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                cost[i][j] = i == j
                        ? NONE
                        : topology.best(nodes.get(i), nodes.get(j))
                                .map(e -> e.latencyMicros() > 0 ? (float) e.latencyMicros() : UNMEASURED_MICROS)
                                .orElse(NONE);
            }
        }
        return cost;
    }

    /** Grows every path over the set that starts at its lowest node by one higher node. */
    private void extend(int set) {
        int n = nodes.size();
        int lowest = Integer.numberOfTrailingZeros(set);
        for (int last = lowest; last < n; last++) {
            float so = best[set * n + last];
            if (so == NONE) {
                continue;
            }
            for (int next = lowest + 1; next < n; next++) {
                int larger = set | 1 << next;
                if (larger != set && so + cost[last][next] < best[larger * n + next]) {
                    best[larger * n + next] = so + cost[last][next];
                    previous[larger * n + next] = (byte) last;
                }
            }
        }
    }

    /** The number of nodes considered. */
    public int size() {
        return nodes.size();
    }

    /** The cheapest cycle through each set of that many nodes that has one, beginning with the node that comes first in the list; a single node is a cycle. */
    public List<List<NodeId>> rings(int size) {
        List<List<NodeId>> found = new ArrayList<>();
        int n = nodes.size();
        for (int set = 1; set < 1 << n; set++) {
            if (Integer.bitCount(set) == size) {
                int last = closing(set);
                if (last >= 0) {
                    found.add(path(set, last));
                }
            }
        }
        return found;
    }

    /** Whether there is a cycle of at least that many nodes. */
    public boolean anyOfAtLeast(int size) {
        for (int set = 1; set < 1 << nodes.size(); set++) {
            if (Integer.bitCount(set) >= size && closing(set) >= 0) {
                return true;
            }
        }
        return false;
    }

    /** The last node of the cheapest cycle over a set, or -1. */
    private int closing(int set) {
        int n = nodes.size();
        int first = Integer.numberOfTrailingZeros(set);
        if (Integer.bitCount(set) == 1) {
            return first;
        }
        int found = -1;
        float least = NONE;
        for (int last = first + 1; last < n; last++) {
            float total = best[set * n + last] + cost[last][first];
            if (total < least) {
                least = total;
                found = last;
            }
        }
        return found;
    }

    private List<NodeId> path(int set, int last) {
        List<NodeId> ring = new ArrayList<>();
        int n = nodes.size();
        int at = last;
        int left = set;
        while (Integer.bitCount(left) > 1) {
            ring.add(nodes.get(at));
            int before = previous[left * n + at];
            left &= ~(1 << at);
            at = before;
        }
        ring.add(nodes.get(at));
        Collections.reverse(ring);
        return ring;
    }
}
