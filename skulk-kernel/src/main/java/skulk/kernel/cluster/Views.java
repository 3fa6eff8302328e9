package skulk.kernel.cluster;

import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import skulk.api.cluster.ClusterView;

/**
 * Publishes cluster views: a subscriber gets the newest one, then every later one, and skips to the newest where it is slow. Nothing is ever buffered beyond the
 * one view, so that publishing never waits.
 */
final class Views implements Flow.Publisher<ClusterView> {
    private final Executor executor;
    private final Set<Subscription> subscriptions = ConcurrentHashMap.newKeySet();
    private volatile ClusterView newest;

    Views(ClusterView first, Executor executor) {
        this.newest = first;
        this.executor = executor;
    }

    ClusterView newest() {
        return newest;
    }

    void publish(ClusterView view) {
        newest = view;
        subscriptions.forEach(Subscription::signal);
    }

    void close() {
        subscriptions.forEach(Subscription::complete);
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ClusterView> subscriber) {
        Subscription subscription = new Subscription(Objects.requireNonNull(subscriber));
        subscriptions.add(subscription);
        subscriber.onSubscribe(subscription);
        subscription.signal();
    }

    private final class Subscription implements Flow.Subscription {
        private final Flow.Subscriber<? super ClusterView> subscriber;
        private final AtomicLong demand = new AtomicLong();
        private final AtomicInteger signals = new AtomicInteger();
        private final AtomicBoolean done = new AtomicBoolean();
        private ClusterView delivered; // only touched by the one task that runs at a time

        Subscription(Flow.Subscriber<? super ClusterView> subscriber) {
            this.subscriber = subscriber;
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                cancel();
                subscriber.onError(new IllegalArgumentException("request(%d): must be positive".formatted(n)));
                return;
            }
            demand.updateAndGet(d -> d + n < 0 ? Long.MAX_VALUE : d + n);
            signal();
        }

        @Override
        public void cancel() {
            done.set(true);
            subscriptions.remove(this);
        }

        void complete() {
            if (done.compareAndSet(false, true)) {
                subscriptions.remove(this);
                executor.execute(subscriber::onComplete);
            }
        }

        void signal() {
            if (signals.getAndIncrement() == 0) {
                executor.execute(this::deliver);
            }
        }

        private void deliver() {
            int seen = signals.get();
            do {
                ClusterView view = newest;
                if (!done.get() && view != delivered && demand.get() > 0) {
                    demand.decrementAndGet();
                    delivered = view;
                    subscriber.onNext(view);
                }
                seen = signals.addAndGet(-seen);
            } while (seen != 0);
        }
    }
}
