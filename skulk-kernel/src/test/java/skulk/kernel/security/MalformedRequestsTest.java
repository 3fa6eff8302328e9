package skulk.kernel.security;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.json.JsonNumber;
import skulk.kernel.config.Keys;

/**
 * Thousands of broken requests over real sockets: none gets an answer of the 500s, hangs, or leaves a connection or a handler behind. The system property
 * {@code skulk.fuzz} sets how many there are.
 */
class MalformedRequestsTest {
    private static final int REQUESTS = Integer.getInteger("skulk.fuzz", 10_000);
    private static final int CLIENTS = 4;
    private static final List<String> WHOLE = List.of(
            "GET /a?x=1&y=%C3%A9 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nCookie: a=b; skulk_key=c\r\n\r\n",
            "POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"model\": \"a\"}",
            "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
            "OPTIONS /p HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a\r\nAccess-Control-Request-Headers: x\r\n\r\n",
            "GET /s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nX-Request-Id: 1\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\22\1\5\0\0\0\1\202\206\4\2/a\1\11localhost");
    private static final String[] PIECES = {
        "\r\n",
        "\n",
        "\r",
        " ",
        ":",
        "\0",
        "%",
        "%zz",
        "/",
        "..",
        "?",
        "HTTP/1.0",
        "HTTP/9.9",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Host: b\r\n",
        "Expect: 100-continue\r\n",
        "ffffffffff",
        "-1",
        "\377\376",
        "é",
        ";",
        ",",
        "\t"
    };

    @TempDir
    Path home;

    private final AtomicInteger running = new AtomicInteger();

    private Route counted(String method, String path, Route.Handler handler) {
        return new Route(method, path, Route.Scope.INFER, x -> {
            running.incrementAndGet();
            try {
                handler.handle(x);
            } finally {
                running.decrementAndGet();
            }
        });
    }

    private static String broken(Random random) {
        StringBuilder request = new StringBuilder(WHOLE.get(random.nextInt(WHOLE.size())));
        for (int n = 1 + random.nextInt(4); n > 0; n--) {
            int at = random.nextInt(request.length() + 1);
            int to = Math.min(request.length(), at + 1 + random.nextInt(12));
            switch (random.nextInt(6)) {
                case 0 -> request.insert(at, PIECES[random.nextInt(PIECES.length)]);
                case 1 -> request.delete(at, to);
                case 2 -> request.insert(at, request.substring(at, to).repeat(1 + random.nextInt(40)));
                case 3 -> request.setLength(Math.max(1, at));
                case 4 -> request.replace(at, to, Character.toString(random.nextInt(256)));
                default -> request.insert(at, WHOLE.get(random.nextInt(WHOLE.size())));
            }
        }
        return request.toString();
    }

    @Test
    void areAnsweredOrDropped() throws Exception {
        Route echo = counted("POST", "/p", x -> x.respond(Response.text(200, "read " + x.body().length)));
        Route hello = counted("GET", "/a", x -> x.respond(Response.text(200, "hello")));
        Route stream = counted("GET", "/s", x -> {
            try (var events = x.events(skulk.api.http.EventStream.Kind.SERVER_SENT_EVENTS)) {
                events.send("data: 1\n\n");
            }
        });
        Queue<String> faults = new ConcurrentLinkedQueue<>();
        // one connection more than the clients have: a leaked one would make them wait, and fail
        try (Served served =
                new Served(home, Map.of(Keys.API_CONNECTIONS, JsonNumber.of(CLIENTS * 16)), echo, hello, stream)) {
            List<Thread> clients = new ArrayList<>();
            for (int c = 0; c < CLIENTS; c++) {
                int seed = c;
                clients.add(Thread.ofPlatform().start(() -> {
                    Random random = new Random(seed);
                    for (int i = 0; i < REQUESTS / CLIENTS; i++) {
                        attack(served.port(), broken(random), faults);
                    }
                }));
            }
            for (Thread client : clients) {
                client.join();
            }
            assertEquals(List.of(), List.copyOf(faults));
            await().atMost(Duration.ofSeconds(5)).until(() -> running.get() == 0);
            List<Socket> all = new ArrayList<>();
            for (int i = 0; i < CLIENTS * 16; i++) {
                all.add(new Socket("127.0.0.1", served.port()));
            }
            Socket last = all.getLast();
            last.setSoTimeout(5000);
            last.getOutputStream()
                    .write("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            assertTrue(
                    new String(last.getInputStream().readAllBytes(), StandardCharsets.UTF_8).endsWith("hello"),
                    "every connection is free again");
            for (Socket socket : all) {
                socket.close();
            }
        }
    }

    private static void attack(int port, String request, Queue<String> faults) {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(10_000);
            byte[] bytes = request.getBytes(StandardCharsets.ISO_8859_1);
            try {
                socket.getOutputStream().write(bytes);
                socket.shutdownOutput();
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
                if (answer.startsWith("HTTP/1.1 5")
                        && !answer.startsWith("HTTP/1.1 501")
                        && !answer.startsWith("HTTP/1.1 505")) {
                    faults.add(request + " -> " + answer);
                }
            } catch (SocketException e) {
                // reset while it was still talking: dropped
            }
        } catch (IOException e) {
            faults.add(request + " -> " + e);
        }
    }
}
