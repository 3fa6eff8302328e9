package skulk.api.fake;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Download;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.Topology;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/** Builds the view of a cluster for tests of decisions and of what shows it. Not thread-safe. */
public final class FakeClusterView {
    public static final long GB = 1_000_000_000L;

    private final Map<NodeId, NodeInfo> nodes = new LinkedHashMap<>();
    private final Map<NodeId, Map<NodeId, List<Topology.Edge>>> links = new HashMap<>();
    private final Map<NodeId, List<Download>> downloads = new HashMap<>();

    /** A node with memory; its friendly name is {@code name-} and its id. */
    public FakeClusterView node(String id, long ramTotal, long ramAvailable) {
        return node(id, ramTotal, ramAvailable, 30e9, 2);
    }

    public FakeClusterView node(String id, long ramTotal, long ramAvailable, double readBandwidth, int threads) {
        NodeInfo.MemoryUsage memory =
                new NodeInfo.MemoryUsage(new Memory(ramTotal), new Memory(ramAvailable), Memory.NONE, Memory.NONE);
        nodes.put(new NodeId(id), info(id, Optional.of(memory), resources(List.of("mlx"), readBandwidth, threads)));
        return this;
    }

    /** A node whose memory has not been reported. */
    public FakeClusterView nodeWithoutMemory(String id) {
        nodes.put(new NodeId(id), info(id, Optional.empty(), resources(List.of("mlx"), 30e9, 2)));
        return this;
    }

    public FakeClusterView info(String id, NodeInfo info) {
        nodes.put(new NodeId(id), info);
        return this;
    }

    public static NodeInfo.Resources resources(List<String> backends, double readBandwidth, int threads) {
        return new NodeInfo.Resources(backends, "full", "tcp", readBandwidth, threads, Optional.empty());
    }

    /** What a node has told of itself, with a friendly name and an Ethernet address. */
    public static NodeInfo info(String id, Optional<NodeInfo.MemoryUsage> memory, NodeInfo.Resources resources) {
        return new NodeInfo(
                Instant.parse("2026-01-02T03:04:05Z"),
                Optional.of(
                        new NodeInfo.Identity("Unknown", "cpu", "name-" + id, "Linux", "Unknown", "0.1.0", "Unknown")),
                memory,
                Optional.empty(),
                Optional.empty(),
                List.of(new NodeInfo.NetworkInterface("eth0", "10.0.0." + (id.hashCode() & 127), "ethernet")),
                Optional.of(resources));
    }

    /** A verified way from one node to another. */
    public FakeClusterView edge(String from, String to, double latencyMicros, double bytesPerSecond) {
        String address = "10.0.0." + (to.hashCode() & 127);
        links.computeIfAbsent(new NodeId(from), k -> new HashMap<>())
                .put(
                        new NodeId(to),
                        List.of(new Topology.Edge(address, 52415, "ethernet", latencyMicros, bytesPerSecond)));
        return this;
    }

    /** Verified ways both ways, 200 µs and 1 GB/s. */
    public FakeClusterView link(String a, String b) {
        return edge(a, b, 200, GB).edge(b, a, 200, GB);
    }

    /** Links between all nodes added so far. */
    public FakeClusterView linkAll() {
        List<NodeId> all = new ArrayList<>(nodes.keySet());
        for (int i = 0; i < all.size(); i++) {
            for (int j = i + 1; j < all.size(); j++) {
                link(all.get(i).value(), all.get(j).value());
            }
        }
        return this;
    }

    public FakeClusterView download(String node, Download download) {
        downloads.computeIfAbsent(new NodeId(node), k -> new ArrayList<>()).add(download);
        return this;
    }

    /** Up to eight nodes of 1 to 64 GB, some busy, most linked. */
    public static FakeClusterView random(Random random) {
        FakeClusterView view = new FakeClusterView();
        int count = 1 + random.nextInt(8);
        for (int i = 0; i < count; i++) {
            long total = (1L + random.nextInt(64)) * GB;
            view.node(
                    "n" + i,
                    total,
                    (long) (total * random.nextDouble()),
                    (5 + random.nextInt(90)) * 1e9,
                    1 + random.nextInt(16));
        }
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                if (i != j && random.nextInt(10) < 8) {
                    view.edge("n" + i, "n" + j, 50 + random.nextInt(2000), (1 + random.nextInt(1000)) * 1e7);
                }
            }
        }
        return view;
    }

    /** The view, taken on the first node, which is also master. */
    public ClusterView build() {
        List<NodeId> members = List.copyOf(nodes.keySet());
        NodeId first = members.isEmpty() ? new NodeId("self") : members.getFirst();
        return new ClusterView(
                first,
                members.isEmpty() ? Optional.empty() : Optional.of(first),
                1,
                members,
                Map.of(),
                Map.of(),
                Map.of(),
                downloads,
                nodes,
                new Topology(members, links),
                Map.of(),
                false,
                -1);
    }

    /** A view of the same cluster in which nodes tell something else of themselves. */
    public static ClusterView with(ClusterView v, Map<NodeId, NodeInfo> nodes) {
        return new ClusterView(
                v.self(),
                v.master(),
                v.epoch(),
                v.members(),
                v.instances(),
                v.runners(),
                v.tasks(),
                v.downloads(),
                nodes,
                v.topology(),
                v.nodeHealth(),
                v.tracingEnabled(),
                v.lastEventAppliedIdx());
    }

    /** A plain text model of 32 layers, hidden size 4096. */
    public static ModelCard card(String id, long bytes, Optional<Integer> kvHeads) {
        return card(id, bytes, 32, kvHeads, 0);
    }

    public static ModelCard card(String id, long bytes, int layers, Optional<Integer> kvHeads, int contextLength) {
        return card(id, bytes, layers, kvHeads, contextLength, "TextGeneration");
    }

    /** A model that makes embeddings. */
    public static ModelCard embedding(String id, long bytes) {
        return card(id, bytes, 12, Optional.empty(), 0, "TextEmbedding");
    }

    private static ModelCard card(
            String id, long bytes, int layers, Optional<Integer> kvHeads, int contextLength, String task) {
        return new ModelCard(
                new ModelId(id),
                new Memory(bytes),
                layers,
                4096,
                true,
                kvHeads,
                List.of(task),
                Optional.empty(),
                "llama",
                "4bit",
                "",
                Optional.empty(),
                List.of("text"),
                contextLength,
                false,
                true,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
