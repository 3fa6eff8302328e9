package skulk.runner.mlx.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkerPoolTest {
    @Test
    void everyTaskRunsOnceAndIsSeenByTheDriver() {
        try (WorkerPool pool = new WorkerPool(4)) {
            for (int round = 0; round < 20_000; round++) {
                int tasks = 1 + round % 37;
                int[] seen = new int[tasks];
                pool.run(tasks, (task, worker) -> seen[task]++);
                for (int task = 0; task < tasks; task++) {
                    assertEquals(1, seen[task], "task " + task + " of round " + round);
                }
            }
        }
    }

    @Test
    void noTwoTasksShareAWorkerAtATime() {
        AtomicIntegerArray busy = new AtomicIntegerArray(8);
        AtomicInteger shared = new AtomicInteger();
        try (WorkerPool pool = new WorkerPool(8)) {
            for (int round = 0; round < 2_000; round++) {
                pool.run(64, (task, worker) -> {
                    if (busy.incrementAndGet(worker) != 1) {
                        shared.incrementAndGet();
                    }
                    busy.decrementAndGet(worker);
                });
            }
        }
        assertEquals(0, shared.get());
    }

    /** One task keeps its thread until the others of the same job have been done by the rest of the pool. */
    @Test
    void aThreadThatDoesNotComeBackHoldsUpOnlyItsOwnTask() {
        CountDownLatch others = new CountDownLatch(99);
        try (WorkerPool pool = new WorkerPool(3)) {
            pool.run(100, (task, worker) -> {
                if (task == 0) {
                    await(others);
                } else {
                    others.countDown();
                }
            });
        }
        assertEquals(0, others.getCount());
    }

    @Test
    void aFailureReachesTheDriverAndThePoolGoesOn() {
        try (WorkerPool pool = new WorkerPool(2)) {
            for (int round = 0; round < 100; round++) {
                IllegalStateException thrown = assertThrows(
                        IllegalStateException.class,
                        () -> pool.run(10, (task, worker) -> {
                            if (task == 7) {
                                throw new ArithmeticException("seven");
                            }
                        }));
                assertTrue(thrown.getCause() instanceof ArithmeticException);
                AtomicInteger done = new AtomicInteger();
                pool.run(10, (task, worker) -> done.incrementAndGet());
                assertEquals(10, done.get());
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
