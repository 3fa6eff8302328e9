package skulk.storage.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;

class StoreAddressTest {
    private static final ClusterView VIEW = view();

    private static ClusterView view() {
        NodeInfo.Identity identity =
                new NodeInfo.Identity("Unknown", "Unknown", "attic", "Unknown", "Unknown", "1", "Unknown");
        NodeInfo info = new NodeInfo(
                Instant.EPOCH,
                Optional.of(identity),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(
                        new NodeInfo.NetworkInterface("lo", "127.0.0.1", "unknown"),
                        new NodeInfo.NetworkInterface("en0", "fe80::1", "ethernet"),
                        new NodeInfo.NetworkInterface("en0", "10.0.0.7", "ethernet")),
                Optional.empty());
        ClusterView empty = ClusterView.empty(new NodeId("self"));
        return new ClusterView(
                empty.self(),
                empty.master(),
                0,
                List.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(new NodeId("n7"), info),
                empty.topology(),
                Map.of(),
                false,
                0);
    }

    private static String address(String host, String httpHost) {
        return StoreAddress.of(new StoreSettings(host, httpHost, 58080, Optional.empty()), () -> VIEW);
    }

    @Test
    void prefersTheConfiguredAddressThenWhatTheHostTellsOfItself() {
        assertEquals("192.168.1.2:58080", address("attic", "192.168.1.2"));
        assertEquals("10.0.0.7:58080", address("Attic", ""));
        assertEquals("10.0.0.7:58080", address("n7", ""));
        assertEquals("box.local:58080", address("box.local", ""));
        assertEquals("[fd00::1]:58080", address("attic", "fd00::1"));
    }
}
