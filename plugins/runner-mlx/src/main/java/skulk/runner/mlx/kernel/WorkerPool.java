package skulk.runner.mlx.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Spreads small pieces of work over a fixed set of threads with a dispatch of well under a microsecond: workers spin on
 * a counter for a while after the last job and park when nothing comes, so an idle decoder costs nothing. A token takes
 * about a hundred dispatches; waking a thread for each would take longer than the arithmetic.
 *
 * <p>A job is done when its tasks are, whoever did them: a worker that the operating system keeps from running, because
 * other processes or the compiler want its core, holds up nothing but a task that it has begun.
 *
 * <p>One driver thread calls {@link #run}; it works too.
 */
public final class WorkerPool implements AutoCloseable {
    /** How long a worker looks for the next job before it parks: longer than any gap inside a step. */
    private static final long SPIN_NANOS = 300_000;

    private static final int SPINS_PER_LOOK = 64;
    private static final VarHandle PARKED = MethodHandles.arrayElementVarHandle(boolean[].class);

    private final Thread[] workers;
    private final boolean[] parked;
    private volatile Round round = new Round(0, (task, worker) -> {});
    private volatile boolean closed;

    /** @param threads threads that work on a job, the caller of {@link #run} included */
    public WorkerPool(int threads) {
        workers = new Thread[threads - 1];
        parked = new boolean[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            int index = i;
            workers[i] =
                    Thread.ofPlatform().daemon().name("mlx-worker-" + (i + 1)).start(() -> work(index));
        }
    }

    /** Threads that work on a job. */
    public int threads() {
        return workers.length + 1;
    }

    /** Runs {@code job} for every task 0..tasks-1 and returns when all are done. Tasks start in ascending order. */
    public void run(int tasks, Job job) {
        if (workers.length == 0 || tasks == 1) {
            for (int i = 0; i < tasks; i++) {
                job.run(i, 0);
            }
            return;
        }
        Round current = new Round(tasks, job);
        round = current;
        for (int i = 0; i < workers.length; i++) {
            if ((boolean) PARKED.getVolatile(parked, i)) {
                LockSupport.unpark(workers[i]);
            }
        }
        current.drain(0);
        int looks = 0;
        while (current.left.get() != 0) {
            Thread.onSpinWait();
            if (++looks > 2000) {
                Thread.yield();
            }
        }
        Throwable thrown = current.failure;
        if (thrown != null) {
            throw new IllegalStateException("a worker failed", thrown);
        }
    }

    private void work(int index) {
        Round seen = round;
        while (!closed) {
            if (!await(seen, index)) {
                return;
            }
            seen = round;
            seen.drain(index + 1);
        }
    }

    private boolean await(Round seen, int index) {
        long start = System.nanoTime();
        while (round == seen) {
            for (int i = 0; i < SPINS_PER_LOOK && round == seen; i++) {
                Thread.onSpinWait();
            }
            long waited = System.nanoTime() - start;
            if (round == seen && waited > SPIN_NANOS / 8) {
                Thread.yield();
            }
            if (waited > SPIN_NANOS) {
                park(seen, index);
            }
            if (closed) {
                return false;
            }
        }
        return true;
    }

    private void park(Round seen, int index) {
        PARKED.setVolatile(parked, index, true);
        while (round == seen && !closed) {
            LockSupport.park(this);
        }
        PARKED.setVolatile(parked, index, false);
    }

    /** Stops the threads; not during a {@link #run}. */
    @Override
    public void close() {
        closed = true;
        for (Thread worker : workers) {
            LockSupport.unpark(worker);
        }
    }

    /** One job. A worker that comes late finds no task left, or those of the next job in another round. */
    private static final class Round {
        private final int tasks;
        private final Job job;
        private final AtomicInteger next = new AtomicInteger();
        /** Tasks that are not done. */
        private final AtomicInteger left;

        private volatile Throwable failure;

        Round(int tasks, Job job) {
            this.tasks = tasks;
            this.job = job;
            this.left = new AtomicInteger(tasks);
        }

        @SuppressWarnings("checkstyle:illegalcatch")
        void drain(int worker) {
            for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
                try {
                    if (failure == null) {
                        job.run(i, worker);
                    }
                } catch (Throwable e) {
                    failure = e;
                } finally {
                    left.decrementAndGet();
                }
            }
        }
    }

    /** A job of numbered tasks. */
    @FunctionalInterface
    public interface Job {
        /**
         * @param task which task
         * @param worker which thread runs it, 0..threads-1; for scratch memory
         */
        void run(int task, int worker);
    }
}
