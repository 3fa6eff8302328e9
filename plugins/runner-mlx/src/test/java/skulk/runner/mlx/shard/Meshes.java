package skulk.runner.mlx.shard;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import skulk.api.RankLinks;

/** Links between ranks of this process. */
final class Meshes {
    private static final int SECONDS = 60;

    private Meshes() {}

    /** What a rank does with its links. */
    interface Work<T> {
        T run(int rank, RankLinks links) throws Exception;
    }

    /** Over loopback sockets; rank by rank. The caller closes them. */
    static List<SocketLinks> sockets(int ranks) throws Exception {
        byte[] key = new byte[SocketLinks.KEY];
        try (ServerSocketChannel server = SocketLinks.listen()) {
            int port = SocketLinks.port(server);
            List<CompletableFuture<SocketLinks>> joining = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                int self = rank;
                CompletableFuture<SocketLinks> joined = new CompletableFuture<>();
                Thread.ofVirtual().start(() -> {
                    try {
                        joined.complete(
                                self == 0
                                        ? SocketLinks.lead(server, ranks, key)
                                        : SocketLinks.join(self, ranks, port, key));
                    } catch (IOException e) {
                        joined.completeExceptionally(e);
                    }
                });
                joining.add(joined);
            }
            List<SocketLinks> links = new ArrayList<>();
            for (CompletableFuture<SocketLinks> joined : joining) {
                links.add(joined.get(SECONDS, TimeUnit.SECONDS));
            }
            return links;
        }
    }

    /** Over queues that never fill. */
    static List<RankLinks> queues(int ranks) {
        List<List<LinkedBlockingQueue<byte[]>>> wires = new ArrayList<>();
        for (int from = 0; from < ranks; from++) {
            List<LinkedBlockingQueue<byte[]>> row = new ArrayList<>();
            for (int to = 0; to < ranks; to++) {
                row.add(new LinkedBlockingQueue<>());
            }
            wires.add(row);
        }
        List<RankLinks> links = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            links.add(new Queues(rank, wires));
        }
        return links;
    }

    /** Runs all ranks at once, each on a thread of its own. */
    static <T> List<T> run(List<? extends RankLinks> links, Work<T> work) throws Exception {
        List<Callable<T>> calls = new ArrayList<>();
        for (int rank = 0; rank < links.size(); rank++) {
            int self = rank;
            calls.add(() -> work.run(self, links.get(self)));
        }
        List<T> results = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(links.size())) {
            for (Future<T> result : threads.invokeAll(calls, SECONDS, TimeUnit.SECONDS)) {
                results.add(result.get());
            }
        }
        return results;
    }

    private record Queues(int self, List<List<LinkedBlockingQueue<byte[]>>> wires) implements RankLinks {
        @Override
        public void send(int rank, MemorySegment data) {
            wires.get(self).get(rank).add(data.toArray(ValueLayout.JAVA_BYTE));
        }

        @Override
        public void receive(int rank, MemorySegment into) throws IOException {
            try {
                byte[] bytes = wires.get(rank).get(self).take();
                if (bytes.length != into.byteSize()) {
                    throw new IOException("rank %d expects %d bytes of rank %d and gets %d"
                            .formatted(self, into.byteSize(), rank, bytes.length));
                }
                into.copyFrom(MemorySegment.ofArray(bytes));
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }
}
