package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** Several nodes on loopback: they form, lose members in every way, and serve on. The bounds are the promises, widened for a machine under load. */
class ClusterIT {
    private static final String MODEL = "skulk/tiny-chat-4bit";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration KILLED = Duration.ofSeconds(5);
    private static final Duration SILENT = Duration.ofSeconds(12);

    @TempDir
    private Path temp;

    private final List<SkulkProcess> nodes = new ArrayList<>();

    @Test
    void servesOnWhileItsMembersDie() throws Exception {
        try {
            int port = freePort();
            SkulkProcess master = start("a", port, "");
            SkulkProcess worker = start("b", freePort(), "127.0.0.1:" + port);
            SkulkProcess third = start("c", freePort(), "127.0.0.1:" + port);
            awaitAgreement(nodes);

            place(third, Set.of(id(master), id(third)));
            String instance = instances(third).iterator().next();
            for (SkulkProcess node : nodes) {
                assertEquals(
                        200,
                        node.post("/v1/chat/completions", question(5, false)).statusCode());
            }

            Stream unaffected = new Stream(third);
            unaffected.awaitStart();
            master.kill();
            awaitAgreement(List.of(worker, third));
            assertTrue(unaffected.lines.stream().noneMatch(l -> l.contains("\"error\"")), unaffected.lines::toString);
            assertEquals(Set.of(instance), instances(third), "adopted, not placed anew");

            Stream affected = new Stream(third);
            affected.awaitStart();
            worker.kill();
            affected.done.get(KILLED.toSeconds(), TimeUnit.SECONDS);
            assertTrue(
                    affected.lines.stream().anyMatch(l -> l.contains("The instance executing this request was lost")),
                    affected.lines::toString);
            awaitServing(List.of(third));
            assertNotEquals(Set.of(instance), instances(third), "placed again on what is left");

            SkulkProcess again = start("a", port, "127.0.0.1:" + port(third));
            awaitAgreement(List.of(third, again));
            assertEquals(
                    200, again.post("/v1/chat/completions", question(5, false)).statusCode());
        } finally {
            nodes.forEach(SkulkProcess::close);
        }
    }

    @Test
    void splitsAModelOverTwoNodesAndHealsAPartition() throws Exception {
        try {
            int port = freePort();
            SkulkProcess one = start("one", port, "");
            SkulkProcess two = start("two", freePort(), "127.0.0.1:" + port);
            awaitAgreement(nodes);
            for (String sharding : List.of("Pipeline", "Tensor")) {
                String wish = JsonObject.builder()
                        .put("model_id", MODEL)
                        .put("min_nodes", 2)
                        .put("sharding", sharding)
                        .build()
                        .toString();
                assertEquals(200, one.post("/place_instance", wish).statusCode());
                awaitServing(nodes);
                assertEquals(
                        2,
                        one.json("/state")
                                .object("runners")
                                .orElseThrow()
                                .members()
                                .size());
                for (SkulkProcess node : nodes) {
                    assertEquals(
                            200,
                            node.post("/v1/chat/completions", question(8, false))
                                    .statusCode());
                }
                if (sharding.equals("Pipeline")) {
                    one.delete("/instance/" + instances(one).iterator().next());
                    await().atMost(PATIENCE)
                            .until(() -> two.json("/state")
                                    .object("runners")
                                    .orElseThrow()
                                    .members()
                                    .isEmpty());
                }
            }
            signal(two, "STOP");
            await().atMost(SILENT).until(() -> members(one).size() == 1);
            signal(two, "CONT");
            awaitAgreement(nodes);
            awaitServing(nodes);
            assertEquals(instances(one), instances(two));
            assertEquals(1, instances(one).size(), "nothing lost, nothing doubled");
        } finally {
            nodes.forEach(SkulkProcess::close);
        }
    }

    // ---- nodes

    private SkulkProcess start(String name, int port, String peers) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--name", name, "--cluster-port", Integer.toString(port)));
        if (!peers.isEmpty()) {
            arguments.addAll(List.of("--bootstrap-peers", peers));
        }
        SkulkProcess node = SkulkProcess.serve(temp.resolve(name), arguments.toArray(String[]::new));
        nodes.add(node);
        return node;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** The port for other nodes, from the line that a joining node logs. */
    private static String port(SkulkProcess node) {
        return node.log().replaceAll("(?s).*Cluster '[^']*' on [0-9.]+:(\\d+).*", "$1");
    }

    private static String id(SkulkProcess node) throws Exception {
        return node.get("/node_id").body().replace("\"", "");
    }

    private static void signal(SkulkProcess node, String signal) throws Exception {
        new ProcessBuilder("kill", "-" + signal, Long.toString(node.pid()))
                .start()
                .waitFor();
    }

    // ---- what they know

    private static Set<String> members(SkulkProcess node) throws Exception {
        return node.json("/state").object("lastSeen").orElseThrow().members().keySet();
    }

    private static Set<String> instances(SkulkProcess node) throws Exception {
        return Set.copyOf(
                node.json("/state").object("instances").orElseThrow().members().keySet());
    }

    /** All know exactly each other, and the same ways between them. */
    private static void awaitAgreement(Collection<SkulkProcess> alive) {
        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            Set<String> ids = alive.stream().map(ClusterIT::idOrNone).collect(Collectors.toSet());
            Set<Json> topologies = alive.stream().map(ClusterIT::topology).collect(Collectors.toSet());
            for (SkulkProcess node : alive) {
                if (!members(node).equals(ids)) {
                    return false;
                }
            }
            return topologies.size() == 1;
        });
    }

    private static String idOrNone(SkulkProcess node) {
        try {
            return id(node);
        } catch (Exception e) {
            return "";
        }
    }

    private static Json topology(SkulkProcess node) {
        try {
            return node.json("/state").object("topology").orElseThrow();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitServing(Collection<SkulkProcess> alive) {
        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            for (SkulkProcess node : alive) {
                JsonObject state = node.json("/state");
                Collection<Json> runners =
                        state.object("runners").orElseThrow().members().values();
                boolean ready = !runners.isEmpty()
                        && !state.object("instances").orElseThrow().members().isEmpty()
                        && runners.stream().allMatch(r -> r.toString().contains("RunnerReady"));
                if (!ready) {
                    return false;
                }
            }
            return true;
        });
    }

    private void place(SkulkProcess through, Set<String> excluded) throws Exception {
        String wish = JsonObject.builder()
                .put("model_id", MODEL)
                .put("excluded_nodes", JsonArray.of(excluded.toArray()))
                .build()
                .toString();
        assertEquals(200, through.post("/place_instance", wish).statusCode());
        awaitServing(nodes);
    }

    // ---- what clients do

    /** Asks for an answer that does not end by itself: the tokens that end one are out of the question. */
    private static String question(int tokens, boolean stream) {
        JsonObject.Builder never = JsonObject.builder();
        IntStream.range(0, 8).forEach(token -> never.put(Integer.toString(token), -100));
        return JsonObject.builder()
                .put("model", MODEL)
                .put(
                        "messages",
                        JsonArray.of(JsonObject.builder()
                                .put("role", "user")
                                .put("content", "Tell me a story")
                                .build()))
                .put("max_tokens", tokens)
                .put("stream", stream)
                .put("logit_bias", never.build())
                .build()
                .toString();
    }

    /** One streaming client. */
    private static final class Stream {
        private final List<String> lines = new CopyOnWriteArrayList<>();
        private final CompletableFuture<Void> done;

        Stream(SkulkProcess node) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(node.url() + "/v1/chat/completions"))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(question(1900, true)))
                    .build();
            done = HttpClient.newHttpClient()
                    .sendAsync(request, HttpResponse.BodyHandlers.ofLines())
                    .thenAccept(response -> response.body().forEach(lines::add));
        }

        void awaitStart() {
            await().atMost(PATIENCE).until(() -> lines.size() > 20);
        }
    }
}
