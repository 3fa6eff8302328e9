package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import skulk.api.cluster.Topology.Edge;

class LinkTest {
    private static Edge edge(String kind, double latency) {
        return new Edge("10.0.0.2", 52415, kind, latency, 1e9);
    }

    private static Link after(Link link, double... latencies) {
        Link now = link;
        for (double latency : latencies) {
            now = now.measured(edge("ethernet", latency));
        }
        return now;
    }

    @Test
    void betterIsNewsAtOnceAndJitterNever() {
        Link link = Link.of(edge("ethernet", 100));
        assertEquals(100, after(link, 390, 75, 120).told().latencyMicros());
        assertEquals(60, after(link, 60).told().latencyMicros());
        assertEquals("wifi", link.measured(edge("wifi", 100)).told().interfaceType());
    }

    @Test
    void worseIsNewsOnceItHasLasted() {
        Link busy = Link.of(edge("ethernet", 100));
        for (int i = 0; i < Link.PATIENCE - 1; i++) {
            busy = after(busy, 500 + i);
        }
        assertEquals(100, busy.told().latencyMicros());
        assertEquals(500, after(busy, 900).told().latencyMicros(), "the best of the worse ones");
        Link spared = after(busy, 200, 900);
        assertEquals(100, spared.told().latencyMicros(), "one good measurement begins the wait anew");
        assertEquals(1, spared.worse());
    }
}
