package skulk.kernel.operation;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import skulk.api.cluster.ClusterView;

/** Waits for a view that has what is asked for; woken by views, never by the clock. */
final class ViewWait {
    private ViewWait() {}

    /** The first answer that a view gives, or empty where none came within the time. */
    static <T> Optional<T> first(
            Flow.Publisher<ClusterView> views, Function<ClusterView, Optional<T>> question, Duration patience) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Asking<T> asking = new Asking<>(question, answer);
        views.subscribe(asking);
        try {
            return Optional.of(answer.get(patience.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } finally {
            asking.cancel();
        }
    }

    private static final class Asking<T> implements Flow.Subscriber<ClusterView> {
        private final Function<ClusterView, Optional<T>> question;
        private final CompletableFuture<T> answer;
        private volatile Flow.Subscription subscription;

        Asking(Function<ClusterView, Optional<T>> question, CompletableFuture<T> answer) {
            this.question = question;
            this.answer = answer;
        }

        void cancel() {
            Flow.Subscription held = subscription;
            if (held != null) {
                held.cancel();
            }
        }

        @Override
        public void onSubscribe(Flow.Subscription held) {
            subscription = held;
            held.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(ClusterView view) {
            try {
                question.apply(view).ifPresent(answer::complete);
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        }

        @Override
        public void onError(Throwable failure) {
            answer.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            answer.completeExceptionally(new IllegalStateException("the node stops"));
        }
    }
}
