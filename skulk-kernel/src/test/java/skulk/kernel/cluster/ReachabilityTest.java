package skulk.kernel.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Membership;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;

class ReachabilityTest {
    @TempDir
    Path home;

    /** Whatever else brings it about that a node does not know where another is measured. */
    @Test
    void edgesComeThoughEndpointsAreLost() throws Exception {
        Hub hub = new Hub();
        AtomicInteger lost = new AtomicInteger(3);
        try (TestNode a = new TestNode("a", hub.membership(), home);
                TestNode b = new TestNode("b", new Forgetful(hub.membership(), lost), home)) {
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> a.cluster.view().topology().neighbours(a.id).equals(List.of(b.id)));
            assertTrue(lost.get() <= 0);
        }
    }

    /** Loses the first few endpoints that its node tells. */
    private record Forgetful(Membership whole, AtomicInteger lost) implements Membership {
        @Override
        public String name() {
            return whole.name();
        }

        @Override
        public Member join(NodeProfile self, Listener listener) throws IOException {
            Member member = whole.join(self, listener);
            return new Member() {
                @Override
                public void send(NodeId to, byte[] bytes) {
                    if (!loses(bytes)) {
                        member.send(to, bytes);
                    }
                }

                @Override
                public void broadcast(byte[] bytes) {
                    if (!loses(bytes)) {
                        member.broadcast(bytes);
                    }
                }

                @Override
                public void close() {
                    member.close();
                }
            };
        }

        private boolean loses(byte[] bytes) {
            return Wire.decode(bytes)
                    .filter(e -> e.message() instanceof Message.ProbeEndpoint && lost.getAndDecrement() > 0)
                    .isPresent();
        }
    }
}
