package skulk.kernel.inference;

import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.RunnerStatus.RunnerFailed;

/**
 * Whether and where a request whose instance was lost goes on. Decisions are functions of the view and the time waited alone.
 *
 * @param replaceable whether a lost instance is going to be placed again
 */
public record Recovery(Policy policy, Predicate<Instance> replaceable) {
    /** A lost instance is started or placed again within about a second; one that is not known by then does not come. */
    static final Duration GRACE = Duration.ofSeconds(3);

    /** An instance that was given up while it serves, as behind a link that works one way, is tried again after this. */
    private static final Duration AGAIN = Duration.ofSeconds(5);

    /**
     * @param on whether requests go on at all; else they end with the loss
     * @param patience longest wait for an instance that serves
     * @param attempts how often one request may go on
     */
    public record Policy(boolean on, Duration patience, int attempts) {}

    /** What a request that waits does next. */
    sealed interface Next {
        record GoOn(Instance instance) implements Next {}

        record Wait() implements Next {}

        record GiveUp() implements Next {}
    }

    /** Whether an instance cannot answer any more as it is: a node of it is gone, or a rank has failed. */
    static boolean broken(ClusterView now, Instance instance) {
        return !allThere(now, instance)
                || instance.shardAssignments().runnerToShard().keySet().stream()
                        .anyMatch(r -> now.runners().get(r) instanceof RunnerFailed);
    }

    /** @param attempt the one that is over */
    boolean mayWait(ClusterView now, Instance lost, int attempt) {
        return policy.on()
                && attempt <= policy.attempts()
                && (expected(now, lost) || restarts(now, lost) || replaceable.test(lost));
    }

    /** Whether a rank that failed may be started again: its node is there, and nobody has deleted the instance. The view may show the failure before the request hears of it. */
    private static boolean restarts(ClusterView now, Instance lost) {
        return now.instancesOf(lost.modelId())
                .anyMatch(i -> i.instanceId().equals(lost.instanceId()) && allThere(now, i));
    }

    private static boolean allThere(ClusterView now, Instance instance) {
        return now.members()
                .containsAll(instance.shardAssignments().nodeToRunner().keySet());
    }

    /** Whether any instance of the model is there that serves or may come to serve. */
    private static boolean expected(ClusterView now, Instance lost) {
        return now.instancesOf(lost.modelId()).anyMatch(i -> !broken(now, i));
    }

    /**
     * @param lossSeen whether the lost instance itself counts again where the view shows it serving
     * @param load requests under way, by which instances are chosen
     */
    Next next(ClusterView now, Instance lost, boolean lossSeen, Duration waited, ToLongFunction<Instance> load) {
        Optional<Instance> serving = now.instancesOf(lost.modelId())
                .filter(i -> now.serving(i) && !broken(now, i))
                .filter(i -> lossSeen
                        || waited.compareTo(AGAIN) > 0
                        || !i.instanceId().equals(lost.instanceId()))
                .min(Comparator.comparingLong(load));
        if (serving.isPresent()) {
            return new Next.GoOn(serving.get());
        }
        boolean vain = waited.compareTo(GRACE) > 0 && !expected(now, lost);
        return vain || waited.compareTo(policy.patience()) > 0 ? new Next.GiveUp() : new Next.Wait();
    }
}
