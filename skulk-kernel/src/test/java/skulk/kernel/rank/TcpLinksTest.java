package skulk.kernel.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TcpLinksTest {

    private static List<TcpLinks> group(int world) throws Exception {
        List<TcpLinks> links = new ArrayList<>();
        List<ToRank.Peer> peers = new ArrayList<>();
        for (int rank = 0; rank < world; rank++) {
            TcpLinks own = TcpLinks.listen(rank, world);
            links.add(own);
            peers.add(new ToRank.Peer(rank, List.of("127.0.0.1"), own.port(), own.key()));
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<CompletableFuture<Void>> connects = links.stream()
                    .map(own -> CompletableFuture.runAsync(
                            () -> {
                                try {
                                    own.connect(peers, Duration.ofSeconds(10));
                                } catch (IOException e) {
                                    throw new java.io.UncheckedIOException(e);
                                }
                            },
                            threads))
                    .toList();
            for (CompletableFuture<Void> connect : connects) {
                connect.get();
            }
        }
        return links;
    }

    private static void close(List<TcpLinks> links) throws IOException {
        for (TcpLinks link : links) {
            link.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void everyPairExchangesMessagesInOrder(int world) throws Exception {
        List<TcpLinks> links = group(world);
        try (Arena arena = Arena.ofShared();
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<CompletableFuture<Void>> sends = new ArrayList<>();
            for (int from = 0; from < world; from++) {
                int sender = from;
                sends.add(CompletableFuture.runAsync(
                        () -> {
                            try {
                                for (int to = 0; to < world; to++) {
                                    for (int n = 1; n <= 3 && to != sender; n++) {
                                        MemorySegment data = arena.allocate(n * 100_000L, 8);
                                        data.set(ValueLayout.JAVA_INT, 0, sender * 1000 + n);
                                        data.set(ValueLayout.JAVA_INT, data.byteSize() - 4, n);
                                        links.get(sender).send(to, data);
                                    }
                                }
                            } catch (IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        },
                        threads));
            }
            for (int to = 0; to < world; to++) {
                for (int from = 0; from < world; from++) {
                    for (int n = 1; n <= 3 && to != from; n++) {
                        MemorySegment into = arena.allocate(n * 100_000L, 8);
                        links.get(to).receive(from, into);
                        assertEquals(from * 1000 + n, into.get(ValueLayout.JAVA_INT, 0));
                        assertEquals(n, into.get(ValueLayout.JAVA_INT, into.byteSize() - 4));
                    }
                }
            }
            for (CompletableFuture<Void> send : sends) {
                send.get();
            }
        } finally {
            close(links);
        }
    }

    @Test
    void aSizeMismatchIsAnErrorThatNamesBothEnds() throws Exception {
        List<TcpLinks> links = group(2);
        try (Arena arena = Arena.ofConfined()) {
            links.get(0).send(1, arena.allocate(16));
            IOException e = assertThrows(IOException.class, () -> links.get(1).receive(0, arena.allocate(8)));
            assertEquals("rank 1 expects 8 bytes of rank 0 and gets 16", e.getMessage());
        } finally {
            close(links);
        }
    }

    @Test
    void aDeadPeerEndsAWaitAtOnceAndIdleSilenceDoesNot() throws Exception {
        List<TcpLinks> links = group(2);
        try (Arena arena = Arena.ofShared()) {
            CompletableFuture<String> waiting = CompletableFuture.supplyAsync(() -> {
                try {
                    links.get(1).receive(0, arena.allocate(8));
                    return "";
                } catch (IOException e) {
                    return e.getMessage();
                }
            });
            // longer than the limit for silence: signs of life keep an idle link
            Thread.sleep(TcpLinks.SILENCE.plusMillis(1500));
            assertTrue(!waiting.isDone(), "an idle link broke");
            assertTrue(
                    links.get(1).waiting().startsWith("waits for rank 0 since"),
                    links.get(1).waiting());
            long closed = System.nanoTime();
            links.get(0).close();
            String why = waiting.get();
            assertTrue(why.startsWith("rank 1 cannot receive from rank 0:"), why);
            assertTrue(System.nanoTime() - closed < TcpLinks.SILENCE.toNanos() / 2, "an end is no silence");
        } finally {
            close(links);
        }
    }

    @Test
    void namesThePairThatDidNotConnect() throws Exception {
        try (TcpLinks one = TcpLinks.listen(1, 2)) {
            IOException e = assertThrows(
                    IOException.class,
                    () -> one.connect(
                            List.of(new ToRank.Peer(0, List.of("127.0.0.1"), 1, new byte[32])),
                            Duration.ofMillis(500)));
            assertTrue(e.getMessage().contains("rank 1 – rank 0 (127.0.0.1:1:"), e.getMessage());
        }
    }

    @Test
    void aStrangerWithoutTheKeyIsNotLetIn() throws Exception {
        try (TcpLinks zero = TcpLinks.listen(0, 2);
                SocketChannel stranger = SocketChannel.open()) {
            CompletableFuture<String> connecting = CompletableFuture.supplyAsync(() -> {
                try {
                    zero.connect(List.of(), Duration.ofSeconds(2));
                    return "connected";
                } catch (IOException e) {
                    return e.getMessage();
                }
            });
            stranger.connect(new InetSocketAddress("127.0.0.1", zero.port()));
            assertThrows(IOException.class, () -> LinkHandshake.dial(stranger, new byte[32], 1, 0));
            try (SocketChannel rude = SocketChannel.open(new InetSocketAddress("127.0.0.1", zero.port()))) {
                rude.write(ByteBuffer.allocate(8 + 16)
                        .putInt(1)
                        .putInt(0)
                        .put(new byte[16])
                        .flip());
                rude.write(ByteBuffer.allocate(32));
            }
            assertTrue(connecting.get().contains("rank 0 – rank 1"), connecting.get());
        }
    }
}
