package skulk.kernel.rank;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.DrafterFactory;
import skulk.api.RunnerFactory;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.Shard;

/** What a rank process can load models with; closing stops the plugins. */
public record Engines(List<RunnerFactory> runners, List<DrafterFactory> drafters, Runnable stop)
        implements AutoCloseable {

    public Engines {
        runners = List.copyOf(runners);
        drafters = List.copyOf(drafters);
    }

    /** Starts the plugins of a rank. */
    @FunctionalInterface
    public interface Source {
        /** @throws Exception whose message says which plugin did not start and why */
        Engines start(ToRank.Begin rank) throws Exception;
    }

    /**
     * The runner that takes a shard: the one that its card asks for if it can.
     *
     * @throws IllegalStateException saying why none does
     */
    public static RunnerFactory runnerFor(Shard shard, List<RunnerFactory> runners) {
        String wanted =
                switch (shard) {
                    case Shard.PipelineShardMetadata p -> p.resolvedBackend();
                    case Shard.TensorShardMetadata t -> t.resolvedBackend();
                };
        NodeInfo unknown = new NodeInfo(
                Instant.now(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty());
        List<String> reasons = new ArrayList<>();
        List<RunnerFactory> candidates = new ArrayList<>(runners);
        candidates.sort(
                (a, b) -> Boolean.compare(b.name().equals(wanted), a.name().equals(wanted)));
        for (RunnerFactory factory : candidates) {
            Optional<String> refusal = factory.supports(shard.modelCard(), unknown);
            if (refusal.isEmpty()) {
                return factory;
            }
            reasons.add(factory.name() + ": " + refusal.get());
        }
        throw new IllegalStateException(
                reasons.isEmpty()
                        ? "no plugin offers a runner"
                        : "no runner takes the model: " + String.join("; ", reasons));
    }

    @Override
    public void close() {
        stop.run();
    }
}
