package skulk.runner.mlx.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

class BenchToolTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        return new BenchTool().run(new PrintWriter(out), new PrintWriter(err), args);
    }

    private JsonObject result() {
        return (JsonObject) Json.parse(out.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static JsonObject entry(JsonObject result, String list, int index) {
        return (JsonObject) result.array(list).orElseThrow().items().get(index);
    }

    @Test
    void measuresAModelThroughTheScheduler() {
        Path folder = Path.of(System.getProperty("skulk.shared", "../../shared"), "golden", "llama--4bit-g64");
        assumeTrue(Files.isDirectory(folder), "no checkpoint at " + folder);
        int code = run(
                "--model",
                folder.toString(),
                "--threads",
                "1",
                "--prompt",
                "200", // so long that the first stream would have ended before the last began
                "--generate",
                "4",
                "--batch",
                "1,3",
                "--repeat",
                "2",
                "--json");
        assertEquals(0, code, err::toString);
        JsonObject result = result();
        assertEquals("llama", result.string("model_type").orElseThrow());
        assertTrue(
                result.object("shape").flatMap(shape -> shape.integer("layers")).orElseThrow() > 0);
        assertTrue(result.number("read_bandwidth_gb_s").orElseThrow() > 0);
        JsonObject three = entry(result, "batches", 1);
        assertEquals(3, three.integer("batch").orElseThrow());
        assertTrue(three.object("generation_tokens_per_second")
                        .flatMap(s -> s.number("median"))
                        .orElseThrow()
                > 0);
        assertEquals(
                6,
                three.object("first_token_ms").flatMap(s -> s.integer("count")).orElseThrow());
    }

    @Test
    void measuresWhatASharedServerPromises() {
        Path folder = Path.of(System.getProperty("skulk.shared", "../../shared"), "golden", "llama--4bit-g64");
        assumeTrue(Files.isDirectory(folder), "no checkpoint at " + folder);
        String[] sizes = {"--threads", "1", "--prompt", "200", "--intruder", "150", "--batch", "2", "--json"};
        List<String> words = new ArrayList<>(List.of("--serving", "--model", folder.toString()));
        words.addAll(List.of(sizes));
        assertEquals(0, run(words.toArray(String[]::new)), err::toString);
        JsonObject repeated = result().object("repeated_prompt").orElseThrow();
        assertTrue(repeated.number("ratio").orElseThrow() < 1, repeated.toString());
        JsonObject beside = result().object("long_prompt_beside_streams").orElseThrow();
        assertTrue(beside.number("longest_in_steps").orElseThrow() > 0, beside.toString());
    }

    /** Answers everything with a stream of three tokens, and tells as much of itself as a node does. */
    @Test
    void watchesAServerWhileItCancels() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                while (!server.isClosed()) {
                    try (Socket socket = server.accept()) {
                        answerOrTell(socket);
                    } catch (IOException e) {
                        // a client that has left: the next one
                    }
                }
            });
            int code = run(
                    "--url",
                    "http://127.0.0.1:" + server.getLocalPort(),
                    "--model",
                    "m",
                    "--soak",
                    "0.02",
                    "--concurrency",
                    "3",
                    "--cancel-rate",
                    "0.5",
                    "--json");
            assertEquals(0, code, err::toString);
        }
        JsonObject result = result();
        assertTrue(result.integer("answered").orElseThrow() > 0, result.toString());
        assertEquals(0, result.integer("failed").orElseThrow(), result.toString());
        assertTrue(result.bool("idle_at_end").orElseThrow(), result.toString());
        JsonObject blocks = result.object("held")
                .flatMap(held -> held.object("skulk_engine_kv_blocks_free"))
                .orElseThrow();
        assertEquals(7.0, blocks.number("end").orElseThrow());
    }

    private static void answerOrTell(Socket socket) throws IOException {
        if (readRequest(socket).startsWith("GET /metrics")) {
            String text = "skulk_engine_kv_blocks_free{rank=\"0\"} 4\nskulk_engine_kv_blocks_free{rank=\"1\"} 3\n";
            socket.getOutputStream()
                    .write(("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + text).getBytes(StandardCharsets.UTF_8));
        } else {
            stream(socket, 0);
        }
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        assertEquals(2, run("--batches", "1"));
        assertTrue(err.toString().contains("'--batches' is not an option"), err.toString());
        assertEquals(2, run("--synthetic", "llama-9000b"));
        assertTrue(err.toString().contains("smollm-135m"), err.toString());
        assertEquals(2, run("--synthetic", "llama-1b", "--repeat", "0"));
    }

    /** Every third answer is an error, every fourth breaks off; the kinds come in turn. */
    @Test
    void countsTokensAndErrorsOfAServer() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            AtomicInteger count = new AtomicInteger();
            Thread.ofVirtual().start(() -> serve(server, count));
            int code = run(
                    "--url",
                    "http://127.0.0.1:" + server.getLocalPort(),
                    "--model",
                    "m",
                    "--concurrency",
                    "1,2",
                    "--requests",
                    "4",
                    "--json");
            assertEquals(0, code, err::toString);
        }
        JsonObject level = entry(result(), "levels", 0);
        assertEquals(4, level.integer("requests").orElseThrow());
        assertEquals(2, level.integer("errors").orElseThrow());
        assertEquals(14, level.integer("tokens").orElseThrow());
        assertTrue(level.object("first_token_ms").flatMap(f -> f.number("p50")).orElseThrow() > 0);
        assertTrue(level.string("first_error").orElseThrow().contains("HTTP 503"), level.toString());
    }

    private static void serve(ServerSocket server, AtomicInteger count) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                answer(socket, count.getAndIncrement() % 4);
            } catch (IOException e) {
                return;
            }
        }
    }

    private static void answer(Socket socket, int kind) throws IOException {
        readRequest(socket);
        stream(socket, kind);
    }

    private static void stream(Socket socket, int kind) throws IOException {
        List<String> lines = kind == 2
                ? List.of("HTTP/1.1 503 Busy", "Connection: close", "", "{\"error\":\"busy\"}")
                : List.of(
                        "HTTP/1.1 200 OK",
                        "Connection: close",
                        "Content-Type: text/event-stream",
                        "",
                        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}",
                        "",
                        "data: {\"choices\":[{\"delta\":{\"content\":\"one \"}}]}",
                        "",
                        "data: {\"choices\":[{\"delta\":{\"content\":\"two\"}}]}",
                        "",
                        "data: {\"choices\":[],\"usage\":{\"completion_tokens\":7}}",
                        "",
                        kind == 3 ? ": gone" : "data: [DONE]",
                        "");
        OutputStream body = socket.getOutputStream();
        body.write((String.join("\r\n", lines) + "\r\n").getBytes(StandardCharsets.UTF_8));
        body.flush();
    }

    private static String readRequest(Socket socket) throws IOException {
        StringBuilder head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) socket.getInputStream().read());
        }
        String lower = head.toString().toLowerCase(java.util.Locale.ROOT);
        if (lower.contains("content-length: ")) {
            String length = lower.replaceAll("(?s).*content-length: (\\d+).*", "$1");
            socket.getInputStream().readNBytes(Integer.parseInt(length));
        }
        return head.toString();
    }
}
