package skulk.api.cluster;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.model.ModelId;

/** One placed model (contract section 1.1). The tag on the wire is the record's name. */
public sealed interface Instance {
    InstanceId instanceId();

    ShardAssignments shardAssignments();

    /** Tokens of prompt plus output that fit in memory beside the weights; enforced to the token. Empty = unknown. */
    Optional<Integer> contextTokenLimit();

    /** Nodes that whoever placed it did not want; what is placed in its stead goes there last. */
    Set<NodeId> excludedNodes();

    default ModelId modelId() {
        return shardAssignments().modelId();
    }

    /** Ranks joined by TCP. */
    record MlxRingInstance(
            InstanceId instanceId,
            ShardAssignments shardAssignments,
            Optional<Integer> contextTokenLimit,
            Map<NodeId, List<Host>> hostsByNode,
            int ephemeralPort,
            Set<NodeId> excludedNodes)
            implements Instance {
        public MlxRingInstance {
            hostsByNode = Map.copyOf(hostsByNode);
            excludedNodes = Set.copyOf(excludedNodes);
        }
    }

    /** Ranks joined by RDMA. */
    record MlxJacclInstance(
            InstanceId instanceId,
            ShardAssignments shardAssignments,
            Optional<Integer> contextTokenLimit,
            List<List<String>> jacclDevices,
            Map<NodeId, String> jacclCoordinators,
            Set<NodeId> excludedNodes)
            implements Instance {
        public MlxJacclInstance {
            excludedNodes = Set.copyOf(excludedNodes);
            jacclDevices = List.copyOf(jacclDevices);
            jacclCoordinators = Map.copyOf(jacclCoordinators);
        }
    }

    record Host(String ip, int port) {}

    /** Which rank runs which shard on which node. */
    record ShardAssignments(ModelId modelId, Map<RunnerId, Shard> runnerToShard, Map<NodeId, RunnerId> nodeToRunner) {
        public ShardAssignments {
            runnerToShard = Map.copyOf(runnerToShard);
            nodeToRunner = Map.copyOf(nodeToRunner);
        }

        public Shard shardOf(NodeId node) {
            return runnerToShard.get(nodeToRunner.get(node));
        }

        /** The nodes in rank order. */
        public List<NodeId> nodesByRank() {
            return nodeToRunner.entrySet().stream()
                    .sorted((a, b) -> Integer.compare(
                            runnerToShard.get(a.getValue()).deviceRank(),
                            runnerToShard.get(b.getValue()).deviceRank()))
                    .map(Map.Entry::getKey)
                    .toList();
        }
    }
}
