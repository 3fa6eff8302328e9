package skulk.api.fake;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import skulk.api.Cluster;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** A cluster whose view is set by the test and whose operations are answered by a function. */
public final class FakeCluster implements Cluster {
    private final List<Operation<?>> calls = new CopyOnWriteArrayList<>();
    private final SubmissionPublisher<ClusterView> views = new SubmissionPublisher<>();
    private volatile Optional<SSLContext> tls = Optional.empty();
    private volatile ClusterView view = ClusterView.empty(new NodeId("self"));
    private volatile Function<Operation<?>, Object> answers = operation -> {
        throw new SkulkException(Problem.Kind.NOT_READY, "no answer prepared for " + operation);
    };

    /** Sets what connections between members are secured with; nothing before. */
    public FakeCluster secured(SSLContext context) {
        tls = Optional.of(context);
        return this;
    }

    /** Sets what operations answer; the function may throw. */
    public FakeCluster answering(Function<Operation<?>, Object> function) {
        answers = function;
        return this;
    }

    /** Sets and publishes a view. */
    public FakeCluster show(ClusterView next) {
        view = next;
        views.submit(next);
        return this;
    }

    /** The operations called so far. */
    public List<Operation<?>> calls() {
        return calls;
    }

    @Override
    public ClusterView view() {
        return view;
    }

    @Override
    public Flow.Publisher<ClusterView> views() {
        return views;
    }

    @Override
    public CompletableFuture<Optional<SSLContext>> tls() {
        return CompletableFuture.completedFuture(tls);
    }

    @Override
    @SuppressWarnings("unchecked") // the test's function answers what the operation asks for
    public <R> R call(Operation<R> operation) {
        calls.add(operation);
        return (R) answers.apply(operation);
    }
}
