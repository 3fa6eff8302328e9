package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All nodes of a cluster die at once: what was placed comes back with them, on the machines where it was, and what was deleted does not. */
class ColdStartIT {
    @TempDir
    private Path temp;

    @Test
    void aRestartOfAllNodesBringsBackWhatWasPlaced() throws Exception {
        try (TestCluster cluster = new TestCluster(temp)) {
            SkulkProcess a = cluster.start("a");
            SkulkProcess b = cluster.start("b");
            TestCluster.awaitAgreement(cluster.alive());
            cluster.place(List.of(b), "Pipeline");
            cluster.place(List.of(a, b), "Pipeline");
            Set<Set<String>> placed = places(a);
            assertEquals(Set.of(Set.of("b"), Set.of("a", "b")), placed);

            a.kill();
            b.kill();
            b = cluster.start("b"); // not the one that kept what was placed
            a = cluster.start("a");
            awaitPlaces(cluster, placed);

            for (String instance : TestCluster.instances(a)) {
                if (TestCluster.instancesOn(a).contains(instance)) {
                    assertEquals(200, a.delete("/instance/" + instance).statusCode());
                }
            }
            awaitPlaces(cluster, Set.of(Set.of("b")));
            b.kill(); // coordinated
            a.kill();
            a = cluster.start("a");
            cluster.start("b");
            awaitPlaces(cluster, Set.of(Set.of("b")));
            assertEquals(1, TestCluster.instances(a).size());
        }
    }

    /** The names of the nodes of each placement, as a node sees them. */
    private static Set<Set<String>> places(SkulkProcess node) throws Exception {
        var state = node.json("/state");
        Map<String, String> names = new HashMap<>();
        state.object("nodeIdentities")
                .orElseThrow()
                .members()
                .forEach((id, identity) -> names.put(
                        id,
                        ((skulk.api.json.JsonObject) identity)
                                .string("friendlyName")
                                .orElseThrow()));
        Set<Set<String>> places = new HashSet<>();
        state.object("instances").orElseThrow().members().values().forEach(tagged -> {
            var instance = (skulk.api.json.JsonObject)
                    ((skulk.api.json.JsonObject) tagged).members().firstEntry().getValue();
            Set<String> nodes = new HashSet<>();
            instance.object("shardAssignments")
                    .orElseThrow()
                    .object("nodeToRunner")
                    .orElseThrow()
                    .members()
                    .keySet()
                    .forEach(id -> nodes.add(names.get(id)));
            places.add(nodes);
        });
        return places;
    }

    private static void awaitPlaces(TestCluster cluster, Set<Set<String>> expected) {
        await().pollInterval(Duration.ofMillis(100))
                .atMost(TestCluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    for (SkulkProcess node : cluster.alive()) {
                        assertEquals(expected, places(node));
                        assertEquals(
                                expected.size(), TestCluster.instances(node).size());
                    }
                });
        TestCluster.awaitServing(cluster.alive());
    }
}
