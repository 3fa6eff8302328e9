package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import skulk.api.fake.FreePort;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** Nodes on loopback, each with a home and ports of its own, and words for what tests do with them and want to know of them. */
final class TestCluster implements AutoCloseable {
    static final String MODEL = ServingNode.TINY;
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path temp;
    private final String namespace;
    private final Map<String, SkulkProcess> nodes = new LinkedHashMap<>();
    private final Map<String, String> peers = new LinkedHashMap<>();
    private final Optional<Namespaces> machines;
    private final Map<String, String> transport = new LinkedHashMap<>();

    TestCluster(Path temp) {
        this(temp, Optional.empty());
    }

    /** @param machines where nodes run, in the order in which their names are first used; empty = all on this one */
    TestCluster(Path temp, Optional<Namespaces> machines) {
        this.temp = temp;
        this.machines = machines;
        this.namespace = "test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
    }

    /** A setting of the transport for nodes on machines of their own. */
    TestCluster transport(String key, String value) {
        transport.put(key, value);
        return this;
    }

    /** Starts a node that joins through those that run. */
    SkulkProcess start(String name, String... more) throws Exception {
        return start(name, running(), List.of(more));
    }

    private String running() {
        return nodes.entrySet().stream()
                .filter(e -> runs(e.getValue()))
                .map(e -> peers.get(e.getKey()))
                .collect(Collectors.joining(","));
    }

    /** Starts a node that joins through given peers. */
    SkulkProcess start(String name, String others, List<String> more) throws Exception {
        int machine = List.copyOf(peers.keySet()).indexOf(name) >= 0
                ? List.copyOf(peers.keySet()).indexOf(name)
                : peers.size();
        SkulkProcess.Machine where = machines.map(
                        m -> new SkulkProcess.Machine(m.on(machine), Namespaces.secret(), m.address(machine)))
                .orElse(SkulkProcess.Machine.THIS);
        return start(where, name, others, more);
    }

    /** Starts a node on a machine of its own, joined through those that run. */
    SkulkProcess start(SkulkProcess.Machine where, String name, List<String> more) throws Exception {
        return start(where, name, running(), more);
    }

    private SkulkProcess start(SkulkProcess.Machine where, String name, String others, List<String> more)
            throws Exception {
        int port = FreePort.find();
        peers.put(name, where.address() + ":" + port);
        List<String> arguments = new ArrayList<>(List.of("--name", name, "--cluster-port", Integer.toString(port)));
        arguments.addAll(List.of("--set", "cluster.namespace=" + namespace));
        if (machines.isPresent()) {
            arguments.addAll(List.of("--api-host", "0.0.0.0", "--insecure"));
            writeBind(name, where.address());
        }
        if (!others.isEmpty()) {
            arguments.addAll(List.of("--bootstrap-peers", others));
        }
        arguments.addAll(more);
        SkulkProcess node = SkulkProcess.serve(where, temp.resolve(name), arguments.toArray(String[]::new));
        nodes.put(name, node);
        return node;
    }

    /** A first node has no peers to tell by that it is to listen beyond loopback. */
    private void writeBind(String name, String address) throws IOException {
        Files.writeString(
                Files.createDirectories(temp.resolve(name)).resolve("skulk.yaml"),
                "plugins:\n  membership-jgroups:\n    bind: " + address + "\n"
                        + transport.entrySet().stream()
                                .map(e -> "    " + e.getKey() + ": " + e.getValue() + "\n")
                                .collect(Collectors.joining()));
    }

    private static boolean runs(SkulkProcess node) {
        return ProcessHandle.of(node.pid()).map(ProcessHandle::isAlive).orElse(false);
    }

    boolean runs(String name) {
        return runs(nodes.get(name));
    }

    String namespace() {
        return namespace;
    }

    /** How other nodes reach one. */
    String peer(String name) {
        return peers.get(name);
    }

    SkulkProcess node(String name) {
        return nodes.get(name);
    }

    /** The nodes whose processes are there. */
    List<SkulkProcess> alive() {
        return nodes.values().stream()
                .filter(n ->
                        ProcessHandle.of(n.pid()).map(ProcessHandle::isAlive).orElse(false))
                .toList();
    }

    @Override
    public void close() {
        nodes.values().forEach(SkulkProcess::close);
    }

    static void signal(long pid, String signal) throws Exception {
        new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start().waitFor();
    }

    // ---- what they know

    static String id(SkulkProcess node) throws Exception {
        return node.get("/node_id").body().replace("\"", "");
    }

    /** The id of the master, as a node sees it. */
    static String master(SkulkProcess node) throws Exception {
        return node.json("/v1/diagnostics/node")
                .object("runtime")
                .orElseThrow()
                .string("masterNodeId")
                .orElse("");
    }

    static Set<String> members(SkulkProcess node) throws Exception {
        return node.json("/state").object("lastSeen").orElseThrow().members().keySet();
    }

    static Set<String> instances(SkulkProcess node) throws Exception {
        return Set.copyOf(
                node.json("/state").object("instances").orElseThrow().members().keySet());
    }

    /** The placements that have a rank on a node, as it sees them. */
    static Set<String> instancesOn(SkulkProcess node) throws Exception {
        return node.json("/v1/diagnostics/node").array("supervisorRunners").orElseThrow().items().stream()
                .map(r -> ((JsonObject) r).string("instanceId").orElseThrow())
                .collect(Collectors.toSet());
    }

    /** The placement that a request runs on. @param id of the completion */
    static String instanceOf(SkulkProcess node, String id) {
        return await().pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(
                        () -> node.json("/state").object("tasks").orElseThrow().members().values().stream()
                                .map(tagged -> (JsonObject) ((JsonObject) tagged)
                                        .members()
                                        .firstEntry()
                                        .getValue())
                                .filter(task ->
                                        id.contains(task.string("commandId").orElseThrow()))
                                .map(task -> task.string("instanceId").orElseThrow())
                                .findFirst()
                                .orElse(""),
                        instance -> !instance.isEmpty());
    }

    /** The process ids of the ranks on a node. */
    static List<Long> ranks(SkulkProcess node) throws Exception {
        return node.json("/v1/diagnostics/node").array("supervisorRunners").orElseThrow().items().stream()
                .map(r -> ((JsonObject) r).integer("pid").orElseThrow())
                .toList();
    }

    /** All know exactly each other, and the same ways between them. */
    static void awaitAgreement(Collection<SkulkProcess> alive) {
        await().pollInterval(Duration.ofMillis(50))
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> agree(alive));
    }

    static boolean agree(Collection<SkulkProcess> alive) throws Exception {
        Set<String> ids = new java.util.HashSet<>();
        Set<Json> topologies = new java.util.HashSet<>();
        for (SkulkProcess node : alive) {
            ids.add(id(node));
            topologies.add(node.json("/state").object("topology").orElseThrow());
        }
        for (SkulkProcess node : alive) {
            if (!members(node).equals(ids)) {
                return false;
            }
        }
        return topologies.size() == 1;
    }

    /** Every node sees at least one placement, and all ranks of all placements ready. */
    static void awaitServing(Collection<SkulkProcess> alive) {
        await().pollInterval(Duration.ofMillis(50))
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> serving(alive));
    }

    static boolean serving(Collection<SkulkProcess> alive) throws Exception {
        for (SkulkProcess node : alive) {
            if (!serving(node.json("/state"))) {
                return false;
            }
        }
        return true;
    }

    /** Whether a state has a placement and all ranks of all placements serve. */
    static boolean serving(JsonObject state) {
        Collection<Json> runners =
                state.object("runners").orElseThrow().members().values();
        return !runners.isEmpty()
                && !state.object("instances").orElseThrow().members().isEmpty()
                && runners.stream()
                        .allMatch(r -> r.toString().contains("RunnerReady")
                                || r.toString().contains("RunnerRunning"));
    }

    /** Places the model on exactly these nodes and waits until it serves. */
    void place(List<SkulkProcess> on, String sharding) throws Exception {
        place(on, sharding, MODEL);
    }

    void place(List<SkulkProcess> on, String sharding, String model) throws Exception {
        List<String> others = new ArrayList<>();
        for (SkulkProcess node : alive()) {
            if (!on.contains(node)) {
                others.add(id(node));
            }
        }
        Set<String> before = instances(on.getFirst());
        String wish = JsonObject.builder()
                .put("model_id", model)
                .put("min_nodes", on.size())
                .put("sharding", sharding)
                .put("excluded_nodes", JsonArray.of(others.toArray()))
                .build()
                .toString();
        HttpResponse<String> placed = on.getFirst().post("/place_instance", wish);
        assertEquals(200, placed.statusCode(), placed.body());
        // a new one, not one more: what was deleted just before may still have been counted
        await().atMost(PATIENCE).until(() -> !before.containsAll(instances(on.getFirst())));
        awaitServing(alive());
    }

    // ---- what clients do

    /** Asks for an answer that does not end by itself: the tokens that end one are out of the question. */
    static JsonObject question(int tokens, boolean stream) {
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
                .build();
    }

    /** One streaming client, and when it heard what. */
    static final class Stream {
        private final List<String> lines = new CopyOnWriteArrayList<>();
        private final CompletableFuture<Void> done;
        private volatile long lastLine = System.nanoTime();
        private volatile long longestPause;

        Stream(SkulkProcess node, JsonObject body) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(node.url() + "/v1/chat/completions"))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                    .build();
            done = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .build()
                    .sendAsync(request, HttpResponse.BodyHandlers.ofLines())
                    .thenAccept(response -> response.body().forEach(this::line));
        }

        private void line(String line) {
            if (line.startsWith("data: ")) {
                lines.add(line.substring("data: ".length()));
                longestPause = Math.max(longestPause, System.nanoTime() - lastLine);
                lastLine = System.nanoTime();
            }
        }

        Stream awaitStart() {
            return awaitLines(20);
        }

        Stream awaitLines(int count) {
            await().pollInterval(Duration.ofMillis(5)).atMost(PATIENCE).until(() -> lines.size() > count);
            return this;
        }

        /** Waits for the end, whatever it is. */
        Stream awaitEnd(Duration patience) throws Exception {
            done.get(patience.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS);
            return this;
        }

        boolean ended() {
            return done.isDone();
        }

        /** When its last line came. */
        long lastHeard() {
            return lastLine;
        }

        Duration longestPause() {
            return Duration.ofNanos(longestPause);
        }

        /** What it is cancelled by. */
        String id() {
            return chunks().findFirst().flatMap(c -> c.string("id")).orElseThrow();
        }

        /** The failure that ended it. */
        Optional<String> error() {
            return chunks().flatMap(c -> c.object("error").stream())
                    .map(e -> e.string("message").orElse(""))
                    .findFirst();
        }

        /** The text of all choices, one after the other, with the reasons of their ends. */
        String text() {
            Map<Long, StringBuilder> texts = new java.util.TreeMap<>();
            Map<Long, String> ends = new java.util.TreeMap<>(); // the last chunk may repeat one
            chunks().flatMap(c -> c.array("choices").stream())
                    .flatMap(c -> c.items().stream())
                    .forEach(c -> {
                        JsonObject choice = (JsonObject) c;
                        StringBuilder text =
                                texts.computeIfAbsent(choice.integer("index").orElse(0L), i -> new StringBuilder());
                        choice.object("delta").flatMap(d -> d.string("content")).ifPresent(text::append);
                        choice.object("logprobs").ifPresent(text::append);
                        choice.string("finish_reason")
                                .ifPresent(reason ->
                                        ends.put(choice.integer("index").orElse(0L), reason));
                    });
            return texts + " " + ends;
        }

        Optional<JsonObject> usage() {
            return chunks().flatMap(c -> c.object("usage").stream()).findFirst();
        }

        private java.util.stream.Stream<JsonObject> chunks() {
            return lines.stream().filter(l -> l.startsWith("{")).map(l -> (JsonObject) Json.parse(l));
        }
    }
}
