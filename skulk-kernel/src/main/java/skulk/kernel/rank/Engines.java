package skulk.kernel.rank;

import java.util.List;
import skulk.api.DrafterFactory;
import skulk.api.RunnerFactory;

/** What a rank process can load models with; closing stops the plugins. */
public record Engines(List<RunnerFactory> runners, List<DrafterFactory> drafters, Runnable stop) implements AutoCloseable {

    public Engines {
        runners = List.copyOf(runners);
        drafters = List.copyOf(drafters);
    }

    /** Starts the plugins of a rank. */
    @FunctionalInterface
    public interface Source {
        /** @param plugins folders or jars; those that offer nothing a rank needs may be left out */
        Engines start(List<java.nio.file.Path> plugins) throws Exception;
    }

    @Override
    public void close() {
        stop.run();
    }
}
