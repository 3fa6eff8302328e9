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
 * <p>One driver thread calls {@link #run}; it works too.
 */
public final class WorkerPool implements AutoCloseable {
    /** How long a worker looks for the next job before it parks: longer than any gap inside a step. */
    private static final long SPIN_NANOS = 300_000;

    private static final int SPINS_PER_LOOK = 64;
    private static final VarHandle PARKED = MethodHandles.arrayElementVarHandle(boolean[].class);

    private final Thread[] workers;
    private final boolean[] parked;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();
    private volatile int epoch;
    private volatile boolean closed;
    private Job job;
    private int tasks;
    private volatile Throwable failure;

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
        this.job = job;
        this.tasks = tasks;
        next.set(0);
        running.set(workers.length);
        epoch++;
        for (int i = 0; i < workers.length; i++) {
            if ((boolean) PARKED.getVolatile(parked, i)) {
                LockSupport.unpark(workers[i]);
            }
        }
        drain(0);
        int looks = 0;
        while (running.get() != 0) {
            Thread.onSpinWait();
            if (++looks > 2000) {
                Thread.yield();
            }
        }
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw new IllegalStateException("a worker failed", thrown);
        }
    }

    @SuppressWarnings("checkstyle:illegalcatch")
    private void drain(int worker) {
        try {
            for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
                job.run(i, worker);
            }
        } catch (Throwable e) {
            failure = e;
            next.set(tasks);
        }
    }

    private void work(int index) {
        int seen = 0;
        while (!closed) {
            if (!await(seen, index)) {
                return;
            }
            seen++;
            drain(index + 1);
            running.decrementAndGet();
        }
    }

    private boolean await(int seen, int index) {
        long start = System.nanoTime();
        while (epoch == seen) {
            for (int i = 0; i < SPINS_PER_LOOK && epoch == seen; i++) {
                Thread.onSpinWait();
            }
            long waited = System.nanoTime() - start;
            if (epoch == seen && waited > SPIN_NANOS / 8) {
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

    private void park(int seen, int index) {
        PARKED.setVolatile(parked, index, true);
        while (epoch == seen && !closed) {
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
