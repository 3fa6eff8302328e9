package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.distribution.BrokenRequests.Broken;
import skulk.distribution.BrokenRequests.Manner;
import skulk.distribution.BrokenRequests.Target;

/**
 * Broken requests of every kind to every route of a live node with models: no answer of the 500s but those that the description has, none that hangs, and
 * nothing kept afterwards: no thread, descriptor, heap or cache block. {@code -Dskulk.fuzz=100000} sets how many, {@code -Dskulk.fuzz.seed} which.
 */
class FuzzIT {
    private static final System.Logger LOG = System.getLogger(FuzzIT.class.getName());
    private static final int REQUESTS = Integer.getInteger("skulk.fuzz", 3_000);
    private static final long SEED = Long.getLong("skulk.fuzz.seed", 1);
    private static final int CLIENTS = 24;
    /** Longest wait for an answer: far more than any takes, far less than for ever. */
    private static final int PATIENCE_MILLIS = 30_000;

    private static final int KEPT = 1 << 16;
    private static final Pattern LENGTH =
            Pattern.compile("(?s)^HTTP/1.1 [2-5].*?\\r\\nContent-Length: (\\d{1,9})\\r\\n.*?\\r\\n\\r\\n");
    /** Would end the node that is asked. */
    private static final Set<String> SPARED = Set.of("POST /admin/restart");

    @TempDir
    Path home;

    private final Queue<String> faults = new ConcurrentLinkedQueue<>();
    private final Map<String, AtomicInteger> statuses = new ConcurrentHashMap<>();

    @Test
    void noBrokenRequestBreaksTheNode() throws Exception {
        Scripted.install(home);
        EmbedModels.installPooled(home);
        Files.writeString(home.resolve("skulk.yaml"), """
                offline: true
                requests: { max_output_tokens: 6 }
                api: { body_timeout_seconds: 0.5, write_timeout_seconds: 2 }
                """, StandardOpenOption.APPEND);
        try (ServingNode node = ServingNode.start(home)) {
            node.place(ServingNode.TINY, Scripted.MODEL, EmbedModels.POOLED);
            JsonObject description = node.process().json("/api/openapi.json");
            Attack attack = new Attack(URI.create(node.url()), targets(description), unavailable(description));
            long rank = node.rank(ServingNode.TINY).orElseThrow().integer("pid").orElseThrow();
            int warm = Math.max(REQUESTS / 10, 1_000);
            attack.send(0, warm);
            settle(node);
            ProcessLevels nodeBefore = ProcessLevels.of(node.process().pid(), home);
            ProcessLevels rankBefore = ProcessLevels.of(rank, home);
            attack.send(warm, Math.max(REQUESTS, 2 * warm));
            settle(node);
            LOG.log(System.Logger.Level.INFO, "answers: {0}", new TreeMap<>(statuses));
            assertEquals(List.of(), faults.stream().limit(10).toList(), faults.size() + " faults");
            assertTrue(
                    node.process().log().lines().noneMatch(line -> line.contains(" ERROR ")),
                    node.process().log());
            same("node", nodeBefore, () -> ProcessLevels.of(node.process().pid(), home));
            same("rank", rankBefore, () -> ProcessLevels.of(rank, home));
            assertEquals(
                    rank,
                    node.rank(ServingNode.TINY).orElseThrow().integer("pid").orElseThrow(),
                    "the rank lives on");
            freeAgain(node);
        }
    }

    private interface Levels {
        ProcessLevels read() throws Exception;
    }

    /** Caches fill a little; a leak of one in a hundred requests would show. */
    private static void same(String what, ProcessLevels before, Levels levels) {
        await(what)
                .atMost(Duration.ofSeconds(40))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> {
                    ProcessLevels after = levels.read();
                    String both = "%s: before %s, after %s".formatted(what, before, after);
                    LOG.log(System.Logger.Level.INFO, both);
                    assertTrue(after.threads() <= before.threads() + 8, both);
                    assertTrue(after.files() <= before.files() + 8, both);
                    assertTrue(after.virtualThreads() <= before.virtualThreads() + 8, both);
                    assertTrue(after.heapKb() <= before.heapKb() * 13 / 10 + 16_384, both);
                });
    }

    private static void settle(ServingNode node) {
        node.awaitIdle(ServingNode.TINY);
        node.awaitIdle(Scripted.MODEL);
        node.awaitIdle(EmbedModels.POOLED);
    }

    /** Every block of the cache is free or kept for prefixes that come again, and the node answers as ever. */
    private static void freeAgain(ServingNode node) throws Exception {
        String metrics = node.process().get("/metrics").body();
        long taken = engine(metrics, "kv_blocks") - engine(metrics, "kv_blocks_free");
        assertEquals(engine(metrics, "kv_blocks_kept"), taken, metrics);
        assertEquals(0, engine(metrics, "sequences_open") + engine(metrics, "queue_requests"), metrics);
        JsonObject answer = node.postJson("/v1/chat/completions", """
                {"model":"skulk/tiny-chat-4bit","messages":[{"role":"user","content":"What is the capital of France?"}]}""");
        assertTrue(answer.toString().contains("The capital of France"), answer.toString());
    }

    private static long engine(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith("skulk_engine_" + name + "{") && line.contains(ServingNode.TINY))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not in " + metrics));
    }

    /** The routes that can be unavailable, such as those of a store that is not configured. */
    private static Set<String> unavailable(JsonObject description) {
        Set<String> found = ConcurrentHashMap.newKeySet();
        operations(description, (method, path, operation) -> {
            if (operation.object("responses").orElseThrow().has("503")) {
                found.add(method + " " + path);
            }
        });
        return found;
    }

    private static List<Target> targets(JsonObject description) {
        List<Target> all = new ArrayList<>();
        operations(description, (method, path, operation) -> {
            List<Json> bodies = GoodBodies.of(path);
            if (bodies.isEmpty() && operation.has("requestBody")) {
                bodies = List.of(JsonObject.EMPTY);
            }
            if (!SPARED.contains(method + " " + path)) {
                all.add(new Target(method, path, bodies));
            }
            // where clients send most of what they send
            for (int i = 0; i < bodies.size(); i++) {
                all.add(new Target(method, path, bodies));
            }
        });
        return all.stream()
                .filter(t -> !SPARED.contains(t.method() + " " + t.path()))
                .toList();
    }

    private interface Operations {
        void operation(String method, String path, JsonObject operation);
    }

    private static void operations(JsonObject description, Operations each) {
        description
                .object("paths")
                .orElseThrow()
                .members()
                .forEach((path, methods) -> ((JsonObject) methods)
                        .members()
                        .forEach((method, operation) -> each.operation(
                                method.toUpperCase(java.util.Locale.ROOT), path, (JsonObject) operation)));
    }

    /** Sends, and finds fault with what comes back. */
    private final class Attack {
        private final URI node;
        private final BrokenRequests requests;
        private final Set<String> unavailable;

        Attack(URI node, List<Target> targets, Set<String> unavailable) {
            this.node = node;
            this.requests = new BrokenRequests(targets, SEED);
            this.unavailable = unavailable;
        }

        void send(int from, int to) throws InterruptedException {
            AtomicInteger next = new AtomicInteger(from);
            List<Thread> clients = new ArrayList<>();
            for (int c = 0; c < CLIENTS; c++) {
                clients.add(Thread.ofPlatform().start(() -> {
                    for (int i = next.getAndIncrement(); i < to; i = next.getAndIncrement()) {
                        if (i % 10_000 == 0) {
                            LOG.log(System.Logger.Level.INFO, "{0} requests, {1} faults", i, faults.size());
                        }
                        one(requests.request(i));
                    }
                }));
            }
            for (Thread client : clients) {
                client.join();
            }
        }

        private void one(Broken request) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(node.getHost(), node.getPort()), PATIENCE_MILLIS);
                socket.setSoTimeout(PATIENCE_MILLIS);
                String answer = "";
                try {
                    socket.getOutputStream().write(request.bytes());
                    if (request.manner() == Manner.SHORT) {
                        socket.shutdownOutput();
                    }
                    answer = read(socket, request.manner());
                } catch (SocketException e) {
                    // closed while it was still talking: an early refusal
                }
                judge(request, answer);
            } catch (IOException e) {
                faults.add(request.shown() + " -> " + e);
            }
        }

        private String read(Socket socket, Manner manner) throws IOException {
            InputStream in = socket.getInputStream();
            return switch (manner) {
                case LEAVES -> "";
                case PEEKS -> new String(in.readNBytes(20), StandardCharsets.ISO_8859_1);
                case POLITE, SHORT -> whole(in);
            };
        }

        /** Up to the length that the head announces, or to the end: the server lets a connection linger whose request it did not read. */
        private String whole(InputStream in) throws IOException {
            StringBuilder answer = new StringBuilder();
            byte[] buffer = new byte[8192];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (answer.length() < KEPT) {
                    answer.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
                }
                Matcher length = LENGTH.matcher(answer);
                if (length.find() && answer.length() >= length.end() + Integer.parseInt(length.group(1))) {
                    break;
                }
            }
            return answer.toString();
        }

        private void judge(Broken request, String answer) {
            String status = answer.length() > 12 ? answer.substring(9, 12) : "none";
            statuses.computeIfAbsent(status, s -> new AtomicInteger()).incrementAndGet();
            boolean intended = !status.startsWith("5")
                    || status.equals("501")
                    || status.equals("505")
                    || (status.equals("503") && unavailable.contains(request.route()));
            if (!intended) {
                faults.add(request.shown() + " -> " + answer);
            }
            if (status.startsWith("4") && answer.contains("Content-Type: application/json") && answer.length() < KEPT) {
                problem(request, answer);
            }
        }

        /** Refusals are JSON objects, whatever was refused. */
        private void problem(Broken request, String answer) {
            int body = answer.indexOf("\r\n\r\n") + 4;
            if (answer.contains("ransfer-Encoding: chunked")
                    || request.manner() == Manner.PEEKS
                    || body == answer.length()) {
                return;
            }
            try {
                byte[] bytes = answer.substring(body).getBytes(StandardCharsets.ISO_8859_1);
                if (!(Json.parse(bytes) instanceof JsonObject)) {
                    faults.add(request.shown() + " -> no object: " + answer);
                }
            } catch (JsonException e) {
                faults.add(request.shown() + " -> no JSON: " + answer);
            }
        }
    }
}
