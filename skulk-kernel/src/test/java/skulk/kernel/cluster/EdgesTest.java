package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Topology.Edge;

class EdgesTest {
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");

    private static Edge edge(String address, String kind, double latencyMicros) {
        return new Edge(address, 52415, kind, latencyMicros, 0);
    }

    @Test
    void thunderboltBeforeEthernetBeforeWifiBeforeVpnThenByLatency() {
        List<Edge> ranked = List.of(
                edge("t", "thunderbolt", 900),
                edge("e1", "ethernet", 100),
                edge("e2", "ethernet", 200),
                edge("e3", "ethernet", 0), // not measured
                edge("m", "maybe_ethernet", 10),
                edge("w", "wifi", 5),
                edge("vpn", "unknown", 1));
        for (int seed = 0; seed < 20; seed++) {
            List<Edge> shuffled = new ArrayList<>(ranked);
            Collections.shuffle(shuffled, new Random(seed));
            Map<NodeId, Map<NodeId, List<Edge>>> edges = Map.of();
            for (Edge edge : shuffled) {
                edges = Edges.add(edges, new Event.Connection(A, B, edge));
            }
            assertEquals(ranked, edges.get(A).get(B));
        }
    }

    @Test
    void ranksTryWhatPlacementChoseThenWhatIsVerifiedThenWhatIsTold() {
        List<Edge> verified = List.of(edge("10.0.0.2", "ethernet", 100), edge("10.1.0.2", "wifi", 50));
        List<String> told = List.of("10.1.0.2", "10.9.0.2", "10.0.0.2");
        assertEquals(List.of("10.0.0.2", "10.1.0.2", "10.9.0.2"), Edges.inOrder(List.of(), verified, told));
        assertEquals(List.of("10.1.0.2", "10.0.0.2", "10.9.0.2"), Edges.inOrder(List.of("10.1.0.2"), verified, told));
    }
}
