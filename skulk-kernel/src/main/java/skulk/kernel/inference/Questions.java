package skulk.kernel.inference;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.json.Json;
import skulk.api.problem.SkulkException;

/**
 * Embeddings and counts of tokens, which come as one answer: a question whose instance is lost before it was answered is asked again, of another instance or of the same
 * once it serves again, as long and as often as requests go on. The asking thread waits.
 */
final class Questions {
    /** A view comes every second at least; one that was missed is looked at then. */
    private static final long LOOK_SECONDS = 1;

    private final Supplier<ClusterView> view;
    private final Recovery recovery;
    private final ToLongFunction<Instance> load;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** @param load requests under way, by which instances are chosen */
    Questions(Supplier<ClusterView> view, Recovery recovery, ToLongFunction<Instance> load) {
        this.view = view;
        this.recovery = recovery;
        this.load = load;
    }

    /**
     * Asks until there is an answer.
     *
     * @param question asks one instance; throws a problem of code {@value Dispatcher#LOST} where that was lost
     * @throws SkulkException what the question throws, the loss only where there is nothing more to wait for
     */
    Json ask(Instance first, Function<Instance, Json> question) {
        Instance instance = first;
        for (int attempt = 1; ; attempt++) {
            try {
                return question.apply(instance);
            } catch (SkulkException e) {
                boolean lost = e.problem().code().equals(Dispatcher.LOST);
                if (!lost || !recovery.mayWait(view.get(), instance, attempt)) {
                    throw e;
                }
                instance = next(instance).orElseThrow(() -> e);
            }
        }
    }

    private Optional<Instance> next(Instance lost) {
        long since = System.nanoTime();
        boolean seen = false;
        lock.lock();
        try {
            while (true) {
                ClusterView now = view.get();
                seen |= Recovery.broken(now, lost) || !now.serving(lost);
                Duration waited = Duration.ofNanos(System.nanoTime() - since);
                switch (recovery.next(now, lost, seen, waited, load)) {
                    case Recovery.Next.GoOn(Instance instance) -> {
                        return Optional.of(instance);
                    }
                    case Recovery.Next.GiveUp() -> {
                        return Optional.empty();
                    }
                    case Recovery.Next.Wait() -> changed.await(LOOK_SECONDS, TimeUnit.SECONDS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** Has those who wait look at the view again. */
    void viewChanged() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
