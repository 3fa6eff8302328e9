package skulk.runner.mlx.schedule;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/**
 * Where sequences wait for a place in the batch, and where the scheduler's thread sleeps. Bounded and fair; any thread
 * may enter.
 */
final class WaitingRoom {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final FairQueue<Sequence> queue = new FairQueue<>();
    private final Scheduler.Options options;
    private final DoubleSupplier tokensPerSecond;
    private boolean closed;
    private long nextId;

    /** @param tokensPerSecond how fast the queue is served, for the advice when to come back */
    WaitingRoom(Scheduler.Options options, DoubleSupplier tokensPerSecond) {
        this.options = options;
        this.tokensPerSecond = tokensPerSecond;
    }

    /**
     * Queues a job.
     *
     * @param granted most output tokens
     * @throws SkulkException where it is closed
     */
    Entry enter(Job job, int granted) {
        lock.lock();
        try {
            long cost = job.prompt().length + (long) granted;
            if (closed) {
                throw new SkulkException(Problem.of(Kind.NOT_READY, "runner_closed", "the runner is shutting down"));
            }
            Problem overload = overload();
            List<Sequence> displaced = new ArrayList<>();
            while (full(cost)) {
                Optional<Sequence> other = queue.pollOver(queue.tokens(job.client()) + cost);
                other.ifPresent(displaced::add);
                if (other.isEmpty()) {
                    // what has given way so far stays out: its client is over its share all the same
                    return new Entry(Optional.empty(), displaced, overload);
                }
            }
            Sequence sequence = new Sequence(nextId++, job, granted);
            queue.add(job.client(), sequence, cost);
            changed.signal();
            return new Entry(Optional.of(sequence), displaced, overload);
        } finally {
            lock.unlock();
        }
    }

    /**
     * How entering went.
     *
     * @param sequence absent where there was no room
     * @param displaced requests of a client with more tokens waiting, which gave way
     * @param overload what those hear who have no place
     */
    record Entry(Optional<Sequence> sequence, List<Sequence> displaced, Problem overload) {}

    private boolean full(long cost) {
        boolean tooMany = queue.size() >= options.maxQueued();
        return tooMany || queue.size() > 0 && queue.tokens() + cost > options.maxQueuedTokens();
    }

    private Problem overload() {
        String message = "%d requests with %d tokens are waiting already".formatted(queue.size(), queue.tokens());
        return Problem.of(Kind.OVERLOADED, "overloaded", message).retryAfter(retryAfter());
    }

    /** When half of what waits should be done. */
    private Duration retryAfter() {
        return Duration.ofSeconds(Math.clamp((long) (queue.tokens() / 2 / tokensPerSecond.getAsDouble()), 1, 60));
    }

    /** Sleeps while nobody waits and the caller has nothing else to do. @return false once closed */
    boolean awaitWork(BooleanSupplier idle) {
        lock.lock();
        try {
            while (!closed && queue.size() == 0 && idle.getAsBoolean()) {
                changed.awaitUninterruptibly();
            }
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /** Makes the scheduler's thread look around. */
    void wake() {
        lock.lock();
        try {
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** The sequence whose turn it is; it stays. */
    Optional<Sequence> peek() {
        lock.lock();
        try {
            return queue.peek();
        } finally {
            lock.unlock();
        }
    }

    /** Takes the sequence whose turn it is. */
    Optional<Sequence> poll() {
        lock.lock();
        try {
            return queue.poll();
        } finally {
            lock.unlock();
        }
    }

    List<Sequence> removeIf(Predicate<Sequence> condition) {
        lock.lock();
        try {
            return queue.removeIf(condition);
        } finally {
            lock.unlock();
        }
    }

    /** Lets nobody in any more, and the scheduler's thread out. */
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return queue.size();
        } finally {
            lock.unlock();
        }
    }

    /** Tokens, prompt and output, of all that wait. */
    long tokens() {
        lock.lock();
        try {
            return queue.tokens();
        } finally {
            lock.unlock();
        }
    }
}
