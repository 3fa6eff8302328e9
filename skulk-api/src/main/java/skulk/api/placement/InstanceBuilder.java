package skulk.api.placement;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import skulk.api.cluster.Instance;
import skulk.api.cluster.Instance.Host;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Topology;

/** Builds an instance from its parts (contract section 1.1). Everything follows from the instance's id, so that every node builds the same. */
public final class InstanceBuilder {
    private static final String NO_HOST = "198.51.100.1";
    private static final String ANY_ADDRESS = "0.0.0.0";
    private static final int FIRST_PORT = 49_153;
    private static final int LAST_PORT = 65_535;

    private InstanceBuilder() {}

    /** Ranks joined by TCP, in the order of the parts. */
    public static Instance ring(
            PlacementRequest request, List<Part> parts, Optional<Integer> contextLimit, Topology topology) {
        InstanceId id = request.instanceId();
        Map<RunnerId, Shard> shards = new HashMap<>();
        Map<NodeId, RunnerId> runners = new HashMap<>();
        for (Part part : parts) {
            RunnerId runner = runnerId(id, part.shard().deviceRank());
            shards.put(runner, part.shard());
            runners.put(part.node(), runner);
        }
        int port = ephemeralPort(id);
        List<NodeId> nodes = parts.stream().map(Part::node).toList();
        return new Instance.MlxRingInstance(
                id,
                new Instance.ShardAssignments(request.card().modelId(), shards, runners),
                contextLimit,
                hosts(nodes, port, topology),
                port,
                request.excluded());
    }

    /** The id of a rank's runner: a version 4 UUID out of the digest of the instance's id and the rank. */
    public static RunnerId runnerId(InstanceId instance, int rank) {
        ByteBuffer hash = digest(instance.value() + "/" + rank);
        long high = hash.getLong() & 0xffffffffffff0fffL | 0x4000L;
        long low = hash.getLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
        return new RunnerId(new UUID(high, low).toString());
    }

    /** A port in 49153…65535 out of the digest of the instance's id. */
    public static int ephemeralPort(InstanceId instance) {
        return FIRST_PORT + Math.floorMod(digest(instance.value()).getInt(), LAST_PORT - FIRST_PORT + 1);
    }

    private static ByteBuffer digest(String text) {
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** For each node the addresses of all ranks as it sees them: itself, its ring neighbours, a placeholder for everybody else. */
    private static Map<NodeId, List<Host>> hosts(List<NodeId> nodes, int port, Topology topology) {
        Map<NodeId, List<Host>> hosts = new HashMap<>();
        int n = nodes.size();
        for (int rank = 0; rank < n; rank++) {
            List<Host> seen = new ArrayList<>();
            for (int other = 0; other < n; other++) {
                boolean neighbour = other == (rank + 1) % n || rank == (other + 1) % n;
                seen.add(
                        other == rank
                                ? new Host(ANY_ADDRESS, port)
                                : neighbour
                                        ? neighbour(nodes.get(rank), nodes.get(other), port, topology)
                                        : new Host(NO_HOST, 0));
            }
            hosts.put(nodes.get(rank), seen);
        }
        return hosts;
    }

    /** The address by which a node reaches its neighbour; in a one-way ring the neighbour behind is known by the address others use. */
    private static Host neighbour(NodeId from, NodeId to, int port, Topology topology) {
        return topology.best(from, to)
                .or(() -> topology.nodes().stream()
                        .flatMap(node -> topology.edges(node, to).stream())
                        .findFirst())
                .map(edge -> new Host(edge.address(), port))
                .orElse(new Host(NO_HOST, 0));
    }
}
