package skulk.kernel.rank;

import java.util.List;
import skulk.api.DrafterFactory;
import skulk.api.RunnerFactory;

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

    @Override
    public void close() {
        stop.run();
    }
}
