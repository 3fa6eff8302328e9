package skulk.runner.mlx.embed;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/** Who shares a batch with whom; the vector of a text is its first token. */
class BatchLoopTest {

    @Test
    void takesTextsFromWaitingRequestsInTurn() throws Exception {
        Slow encoder = new Slow();
        try (BatchLoop loop = new BatchLoop(encoder, 4)) {
            CompletableFuture<List<float[]>> first = loop.submit(List.of(text(100, 1)));
            encoder.started.acquire();
            CompletableFuture<List<float[]>> large =
                    loop.submit(List.of(text(1, 2), text(2, 2), text(3, 2), text(4, 2), text(5, 2)));
            CompletableFuture<List<float[]>> small = loop.submit(List.of(text(200, 1)));
            encoder.release.countDown();
            assertEquals(100, first.get().getFirst()[0]);
            assertEquals(200, small.get().getFirst()[0]);
            List<float[]> vectors = large.get();
            assertEquals(
                    List.of(1f, 2f, 3f, 4f, 5f), vectors.stream().map(v -> v[0]).toList());
            assertEquals(List.of(List.of(100), List.of(1, 200), List.of(2, 3), List.of(4, 5)), encoder.batches);
        }
    }

    @Test
    void aTextLargerThanABatchGoesAlone() throws Exception {
        Slow encoder = new Slow();
        encoder.release.countDown();
        try (BatchLoop loop = new BatchLoop(encoder, 4)) {
            assertEquals(9, loop.submit(List.of(text(9, 50))).get().getFirst()[0]);
        }
    }

    @Test
    void aFailureReachesItsCallersOnly() throws Exception {
        Slow encoder = new Slow();
        encoder.release.countDown();
        try (BatchLoop loop = new BatchLoop(encoder, 4)) {
            ExecutionException thrown = assertThrows(
                    ExecutionException.class,
                    () -> loop.submit(List.of(text(-1, 1))).get());
            SkulkException problem = assertInstanceOf(SkulkException.class, thrown.getCause());
            assertEquals(Kind.INTERNAL, problem.problem().kind());
            assertTrue(problem.getMessage().contains("no such token"), problem.getMessage());
            assertEquals(3, loop.submit(List.of(text(3, 1))).get().getFirst()[0]);
        }
    }

    @Test
    void aCancelledRequestIsNotComputed() throws Exception {
        Slow encoder = new Slow();
        try (BatchLoop loop = new BatchLoop(encoder, 4)) {
            CompletableFuture<List<float[]>> first = loop.submit(List.of(text(1, 1)));
            encoder.started.acquire();
            CompletableFuture<List<float[]>> dropped = loop.submit(List.of(text(2, 1)));
            CompletableFuture<List<float[]>> last = loop.submit(List.of(text(3, 1)));
            dropped.cancel(false);
            encoder.release.countDown();
            first.get();
            last.get();
            assertEquals(List.of(List.of(1), List.of(3)), encoder.batches);
        }
    }

    @Test
    void closingFailsWhatWaitsAndFreesTheEncoder() throws Exception {
        Slow encoder = new Slow();
        BatchLoop loop = new BatchLoop(encoder, 4);
        CompletableFuture<List<float[]>> running = loop.submit(List.of(text(1, 1)));
        encoder.started.acquire();
        CompletableFuture<List<float[]>> waiting = loop.submit(List.of(text(2, 1)));
        Thread closer = Thread.ofVirtual().start(loop::close);
        await().until(loop::isClosed);
        encoder.release.countDown();
        closer.join();
        assertEquals(1, running.get().getFirst()[0]);
        ExecutionException thrown = assertThrows(ExecutionException.class, waiting::get);
        assertEquals(
                Kind.NOT_READY,
                assertInstanceOf(SkulkException.class, thrown.getCause())
                        .problem()
                        .kind());
        assertTrue(encoder.closed);
        assertThrows(
                ExecutionException.class, () -> loop.submit(List.of(text(1, 1))).get());
        assertEquals(List.of(List.of(1)), encoder.batches);
    }

    private static int[] text(int token, int length) {
        int[] out = new int[length];
        java.util.Arrays.fill(out, token);
        return out;
    }

    /** Waits for {@link #release} before the first batch ends; refuses tokens below zero. */
    private static final class Slow implements TextEncoder {
        private final Semaphore started = new Semaphore(0);
        private final CountDownLatch release = new CountDownLatch(1);
        private final List<List<Integer>> batches = Collections.synchronizedList(new ArrayList<>());
        private volatile boolean closed;

        @Override
        public int width() {
            return 1;
        }

        @Override
        public List<float[]> encode(List<int[]> texts) {
            started.release();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            batches.add(texts.stream().map(t -> t[0]).toList());
            if (texts.stream().anyMatch(t -> t[0] < 0)) {
                throw new IllegalArgumentException("no such token");
            }
            return texts.stream().map(t -> new float[] {t[0]}).toList();
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
