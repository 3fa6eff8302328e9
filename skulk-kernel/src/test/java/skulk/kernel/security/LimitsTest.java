package skulk.kernel.security;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.http.EventStream;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.json.JsonNumber;
import skulk.kernel.config.Keys;

/** What the server puts up with, over real sockets. */
class LimitsTest {
    @TempDir
    Path home;

    private final AtomicInteger smuggled = new AtomicInteger();

    private Route smuggled() {
        return new Route("GET", "/smuggled", Route.Scope.INFER, x -> {
            smuggled.incrementAndGet();
            x.respond(Response.text(200, "smuggled"));
        });
    }

    /** Messages whose end two parsers could see in different places (RFC 9112, sections 6.3 and 11.2). */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
                "Content-Length: 5, 5\r\n\r\nhello",
                "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n",
                "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Content-Length : 5\r\n\r\nhello",
                "Content-Length: +5\r\n\r\nhello",
                "Content-Length: 0x5\r\n\r\nhello",
                "Content-Length: 5x\r\n\r\nhello",
                "Content-Length: \r\n\r\nhello",
                "Content-Length: 99999999999999999999\r\n\r\nhello",
                "Transfer-Encoding: chunked\r\n\r\n5;a=\nhello\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n",
                "X: a\u0000b\r\nContent-Length: 5\r\n\r\nhello",
                "X y\r\nContent-Length: 5\r\n\r\nhello"
            })
    void closesTheConnectionOfMessagesWithoutAnUnmistakableEnd(String rest) throws IOException {
        try (Served served = new Served(home, Map.of(), Served.echo(), smuggled())) {
            String answer = served.raw("POST /p HTTP/1.1\r\nHost: localhost\r\n" + rest
                    + "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assertEquals(0, smuggled.get(), answer);
            assertTrue(answer.startsWith("HTTP/1.1 4") || answer.startsWith("HTTP/1.1 501"), answer);
            assertEquals(1, answer.split("HTTP/1.1 ", -1).length - 1, answer);
        }
    }

    /** Forms that the server reads although they are not quite right: what comes after is never read. */
    @ParameterizedTest
    @ValueSource(strings = {"+5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"})
    void closesTheConnectionAfterChunks(String chunks) throws IOException {
        try (Served served = new Served(home, Map.of(), Served.echo(), smuggled())) {
            String answer = served.raw("POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunks + "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assertEquals(0, smuggled.get(), answer);
            assertEquals(1, answer.split("HTTP/1.1 ", -1).length - 1, answer);
        }
    }

    @Test
    void takesChunks() throws IOException {
        try (Served served = new Served(home, Map.of(), Served.echo())) {
            String answer =
                    served.raw("POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + "5\r\nhello\r\n0\r\n\r\n");
            assertTrue(answer.endsWith("read 5"), answer);
        }
    }

    @Test
    void refusesTooManyHeadersAndLinesThatAreTooLong() throws IOException {
        try (Served served = new Served(home, Map.of(), Served.hello())) {
            String some = "X-Header: value\r\n".repeat(1000);
            assertTrue(served.raw("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + some + "\r\n")
                    .startsWith("HTTP/1.1 200"));
            String many = "X-Header: value\r\n".repeat(10_000);
            assertTrue(
                    served.raw("GET /a HTTP/1.1\r\nHost: a\r\n" + many + "\r\n").startsWith("HTTP/1.1 4"));
            assertTrue(served.raw("GET /a?" + "q".repeat(100_000) + " HTTP/1.1\r\nHost: a\r\n\r\n")
                    .startsWith("HTTP/1.1 4"));
            assertTrue(served.raw("G".repeat(100_000)).startsWith("HTTP/1.1 4"));
        }
    }

    @Test
    void letsConnectionsOverTheLimitWait() throws IOException {
        try (Served served = new Served(home, Map.of(Keys.API_CONNECTIONS, JsonNumber.of(4)), Served.hello())) {
            List<Socket> idle = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                idle.add(new Socket("127.0.0.1", served.port()));
            }
            try (Socket waiting = new Socket("127.0.0.1", served.port())) {
                waiting.getOutputStream()
                        .write("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                                .getBytes(StandardCharsets.US_ASCII));
                waiting.setSoTimeout(300);
                boolean answered = true;
                try {
                    answered = waiting.getInputStream().read() >= 0;
                } catch (SocketTimeoutException e) {
                    answered = false;
                }
                assertFalse(answered, "waits while four others are open");
                idle.getFirst().close();
                waiting.setSoTimeout(5000);
                assertTrue(
                        new String(waiting.getInputStream().readAllBytes(), StandardCharsets.UTF_8).endsWith("hello"));
            }
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    // ---- HTTP/2

    @Test
    void answersPlainHttp2() throws IOException {
        try (Served served = new Served(home, Map.of(), Served.hello(), Served.echo());
                Http2Bytes client = new Http2Bytes(served.port())) {
            client.request(1, "GET", "/a", Http2Bytes.END_STREAM);
            assertEquals("hello", client.answer(1));
            client.request(3, "POST", "/p", 0);
            client.send(Http2Bytes.DATA, 0, 3, new byte[3]);
            client.send(Http2Bytes.DATA, Http2Bytes.END_STREAM, 3, new byte[4]);
            assertEquals("read 7", client.answer(3));
        }
    }

    @Test
    void closesSilentHttp2Connections() throws IOException {
        try (Served served = new Served(home, Map.of(Keys.API_IDLE_TIMEOUT, JsonNumber.of(1)), Served.hello());
                Http2Bytes silent = new Http2Bytes(served.port());
                Http2Bytes used = new Http2Bytes(served.port())) {
            used.request(1, "GET", "/a", Http2Bytes.END_STREAM);
            assertEquals("hello", used.answer(1));
            long begin = System.nanoTime();
            silent.readAll();
            used.readAll();
            assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(5));
        }
    }

    @Test
    void keepsHttp2ConnectionsWhileARequestIsUnderWay() throws Exception {
        Route slow = new Route("GET", "/slow", Route.Scope.INFER, x -> {
            Thread.sleep(1500);
            x.respond(Response.text(200, "late"));
        });
        try (Served served = new Served(home, Map.of(Keys.API_IDLE_TIMEOUT, JsonNumber.of(1)), slow);
                Http2Bytes client = new Http2Bytes(served.port())) {
            client.request(1, "GET", "/slow", Http2Bytes.END_STREAM);
            assertEquals("late", client.answer(1));
        }
    }

    /** Whole answers and streams, told while they are computed and told before anybody listens; the other request goes on. */
    @ParameterizedTest
    @ValueSource(strings = {"/whole", "/stream", "/early"})
    void noticesWhichRequestOfASharedConnectionIsGivenUp(String path) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch reset = new CountDownLatch(1);
        CountDownLatch gone = new CountDownLatch(1);
        CountDownLatch finish = new CountDownLatch(1);
        Route waiting = new Route("GET", path, Route.Scope.INFER, x -> {
            if (path.equals("/early")) {
                begun.countDown();
                reset.await();
            }
            if (path.equals("/stream")) {
                x.events(EventStream.Kind.NDJSON).onGone(gone::countDown);
            } else {
                x.onGone(gone::countDown);
            }
            begun.countDown();
            gone.await();
        });
        Route slow = new Route("GET", "/slow", Route.Scope.INFER, x -> {
            assertTrue(finish.await(10, TimeUnit.SECONDS));
            x.respond(Response.text(200, "late"));
        });
        try (Served served = new Served(home, Map.of(), waiting, slow, Served.hello());
                Http2Bytes client = new Http2Bytes(served.port())) {
            client.request(1, "GET", "/slow", Http2Bytes.END_STREAM);
            client.request(3, "GET", path, Http2Bytes.END_STREAM);
            assertTrue(begun.await(5, TimeUnit.SECONDS));
            client.send(Http2Bytes.RESET, 0, 3, new byte[] {0, 0, 0, 8});
            client.request(5, "GET", "/a", Http2Bytes.END_STREAM);
            assertEquals("hello", client.answer(5), "the reset has been read by now");
            reset.countDown();
            assertTrue(gone.await(5, TimeUnit.SECONDS));
            finish.countDown();
            assertEquals("late", client.answer(1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/p", "/unread"})
    void cutsHttp2ConnectionsWhoseBodiesDoNotArrive(String path) throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        Route reading = new Route("POST", "/p", Route.Scope.INFER, x -> {
            try {
                x.body();
                x.respond(Response.text(200, "whole?"));
            } finally {
                ended.countDown();
            }
        });
        Route unread = new Route("POST", "/unread", Route.Scope.INFER, x -> {
            x.respond(Response.text(200, "not of interest"));
            ended.countDown();
        });
        try (Served served = new Served(home, Map.of(Keys.API_BODY_TIMEOUT, JsonNumber.of(0.3)), reading, unread);
                Http2Bytes client = new Http2Bytes(served.port())) {
            client.request(1, "POST", path, 0);
            client.send(Http2Bytes.DATA, 0, 1, new byte[3]);
            long begin = System.nanoTime();
            List<Http2Bytes.Frame> frames = client.readAll();
            assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(5));
            assertTrue(ended.await(5, TimeUnit.SECONDS));
            assertTrue(
                    frames.stream().noneMatch(frame -> frame.text().contains("whole?")),
                    "half a body is no body: " + frames);
        }
    }

    @Test
    void endsConnectionsThatResetTooFast() throws IOException {
        try (Served served = new Served(home, Map.of(), Served.hello());
                Http2Bytes client = new Http2Bytes(served.port())) {
            try {
                for (int stream = 1; stream < 4000; stream += 2) {
                    client.request(stream, "GET", "/a", Http2Bytes.END_STREAM);
                    client.send(Http2Bytes.RESET, 0, stream, new byte[] {0, 0, 0, 8});
                }
            } catch (IOException e) {
                // cut while writing: all the better
            }
            client.readAll();
            assertTrue(served.raw("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    .endsWith("hello"));
        }
    }

    @Test
    void holdsStreamsToTheirNumber() throws Exception {
        AtomicInteger running = new AtomicInteger();
        CountDownLatch release = new CountDownLatch(1);
        Route wait = new Route("GET", "/wait", Route.Scope.INFER, x -> {
            running.incrementAndGet();
            release.await(10, TimeUnit.SECONDS);
            x.respond(Response.text(200, "done"));
        });
        try (Served served = new Served(home, Map.of(), wait, Served.hello());
                Http2Bytes client = new Http2Bytes(served.port())) {
            try {
                for (int stream = 1; stream < 2 * 600; stream += 2) {
                    client.request(stream, "GET", "/wait", Http2Bytes.END_STREAM);
                }
            } catch (IOException e) {
                // the connection may have ended already
            }
            assertTrue(served.raw("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    .endsWith("hello"));
            await().atMost(Duration.ofSeconds(5)).until(() -> running.get() > 0);
            assertTrue(running.get() <= 257, "at once: " + running.get());
            release.countDown();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Http2Bytes.CONTINUATION, Http2Bytes.PING, Http2Bytes.SETTINGS, Http2Bytes.DATA})
    void survivesFloodsOfFrames(int type) throws IOException {
        try (Served served = new Served(
                        home, Map.of(Keys.API_IDLE_TIMEOUT, JsonNumber.of(1)), Served.hello(), Served.echo());
                Http2Bytes client = new Http2Bytes(served.port())) {
            try {
                if (type == Http2Bytes.CONTINUATION) {
                    client.send(
                            Http2Bytes.HEADERS,
                            0,
                            1,
                            Http2Bytes.block(":method", "GET", ":scheme", "http", ":path", "/a"));
                    for (int i = 0; i < 2000; i++) {
                        client.send(type, 0, 1, Http2Bytes.block("x-flood", "x".repeat(1000)));
                    }
                } else if (type == Http2Bytes.DATA) {
                    client.request(1, "POST", "/p", 0);
                    for (int i = 0; i < 20_000; i++) {
                        client.send(type, 0, 1, new byte[0]);
                    }
                } else {
                    for (int i = 0; i < 20_000; i++) {
                        client.send(type, 0, 0, new byte[type == Http2Bytes.PING ? 8 : 0]);
                    }
                }
            } catch (IOException e) {
                // cut off
            }
            client.readAll();
            assertTrue(served.raw("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    .endsWith("hello"));
        }
    }
}
