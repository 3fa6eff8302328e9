package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.kernel.rank.Samples;

/** What a node knows when it has joined: clients may ask it from then on. */
class JoiningTest {
    private static final int JOINERS = 5;

    @TempDir
    Path home;

    private final Hub hub = new Hub();

    private TestNode node(String name) throws Exception {
        return new TestNode(name, hub.membership(), home);
    }

    @Test
    void aJoinerKnowsAtOnceWhatTheClusterServes() throws Exception {
        try (TestNode first = node("n1")) {
            Instance instance = Samples.instance("org/counter", first.id);
            first.cluster.report(new Event.InstanceCreated(instance));
            ServingTest.serving(first, instance);
            for (int i = 0; i < JOINERS; i++) {
                try (TestNode joiner = node("joiner" + i)) {
                    assertEquals(
                            Map.of(instance.instanceId(), instance),
                            joiner.cluster.view().instances());
                    assertTrue(joiner.cluster.view().serving(instance));
                }
            }
        }
    }

    @Test
    @Timeout(30)
    void aCoordinatorThatSaysNothingDelaysAJoinerOnly() throws Exception {
        hub.lose(new NodeId("n1"), new NodeId("n2"));
        try (TestNode first = node("n1");
                TestNode second = node("n2")) {
            assertEquals(
                    Set.of(first.id, second.id),
                    Set.copyOf(second.cluster.view().members()));
        }
    }
}
