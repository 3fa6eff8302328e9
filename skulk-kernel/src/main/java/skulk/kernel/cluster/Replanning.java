package skulk.kernel.cluster;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download.DownloadFailed;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;

/**
 * Which instances cannot come up where they were placed, and where they should be tried instead (contract section 9.2): one node wider after a node refused for want
 * of memory, at the same width without the nodes whose download failed. Decided by the coordinator; used by one thread.
 *
 * <p>A model is tried again once: what comes of that stays, and {@code nodeHealth} says why.
 */
public final class Replanning {
    private final Set<InstanceId> tried = new HashSet<>();

    /**
     * Another try.
     *
     * @param instance what could not come up
     * @param minNodes of the successor
     * @param without nodes that must not take part in it
     */
    public record Retry(Instance instance, int minNodes, Set<NodeId> without) {}

    /** What has become impossible from one view to the next. */
    List<Retry> between(ClusterView before, ClusterView after) {
        List<Retry> retries = new ArrayList<>();
        for (Instance instance : after.instances().values()) {
            int width = instance.shardAssignments().nodeToRunner().size();
            Set<NodeId> failed = failed(instance, after);
            failed.removeAll(failed(instance, before)); // an older failure is tried again by the node itself
            if (tried.contains(instance.instanceId())) {
                continue;
            }
            if (refused(instance, after)) {
                retries.add(new Retry(instance, width + 1, Set.of()));
            } else if (!failed.isEmpty()) {
                retries.add(new Retry(instance, width, Set.copyOf(failed)));
            }
        }
        retries.forEach(retry -> tried.add(retry.instance().instanceId()));
        return retries;
    }

    private static boolean refused(Instance instance, ClusterView view) {
        return instance.shardAssignments().runnerToShard().keySet().stream()
                .anyMatch(runner -> view.runners().containsKey(runner)
                        && LoadCheck.refused(view.runners().get(runner)).isPresent());
    }

    private static Set<NodeId> failed(Instance instance, ClusterView view) {
        Set<NodeId> failed = new HashSet<>();
        for (NodeId node : instance.shardAssignments().nodeToRunner().keySet()) {
            boolean here = view.downloads().getOrDefault(node, List.of()).stream()
                    .anyMatch(d -> d instanceof DownloadFailed
                            && d.shardMetadata().modelCard().modelId().equals(instance.modelId()));
            if (here) {
                failed.add(node);
            }
        }
        return failed;
    }

    /** The successor of a retry is the last one. */
    void last(Instance successor) {
        tried.add(successor.instanceId());
    }
}
