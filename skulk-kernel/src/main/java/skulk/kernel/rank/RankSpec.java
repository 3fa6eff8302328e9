package skulk.kernel.rank;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import skulk.api.RankContext.Partial;
import skulk.api.cluster.Instance;
import skulk.api.cluster.RunnerId;
import skulk.api.cluster.Shard;
import skulk.api.json.JsonObject;

/**
 * One rank to run.
 *
 * @param settings for the engine
 */
public record RankSpec(Instance instance, RunnerId runner, Shard shard, Files files, Map<String, String> settings) {

    public RankSpec {
        settings = Map.copyOf(settings);
    }

    /**
     * What it loads.
     *
     * @param folder of the checkpoint
     * @param partial the files that are here in part, by name
     * @param companions folders of companion models by id
     */
    public record Files(Path folder, Map<String, Partial> partial, Map<String, Path> companions) {
        public Files {
            partial = Map.copyOf(partial);
            companions = Map.copyOf(companions);
        }
    }

    /** A short name for log lines. */
    String label() {
        return "rank %d of %s".formatted(shard.deviceRank(), instance.modelId().shortName());
    }

    /**
     * How rank processes are started and how long they may take.
     *
     * @param command the Java program with its options, up to and including the main class
     * @param plugins folders or jars of the plugins that offer runners and drafters
     * @param sections the plugins' sections of the configuration, by plugin name
     * @param home of the node; plugins in a rank process get their work directories below it
     * @param sockets directory for their sockets
     */
    public record Launch(
            List<String> command,
            List<Path> plugins,
            JsonObject sections,
            Path home,
            Path sockets,
            Deadlines deadlines) {
        public Launch {
            command = List.copyOf(command);
            plugins = List.copyOf(plugins);
        }
    }

    /**
     * Contract section 10, "Deadlines".
     *
     * @param firstReport from the start of the process to its first word
     * @param connect of the ranks of one instance to each other
     * @param load without progress
     * @param warmup kept by the rank itself; its node waits {@link #GRACE} longer
     * @param step of a busy rank without progress
     * @param silence without a sign of life of a serving rank
     * @param escalation between asking, terminating and killing
     */
    public record Deadlines(
            Duration firstReport,
            Duration connect,
            Duration load,
            Duration warmup,
            Duration step,
            Duration silence,
            Duration escalation) {
        static final Duration GRACE = Duration.ofSeconds(10);

        public static final Deadlines DEFAULT = new Deadlines(
                Duration.ofSeconds(120),
                Duration.ofSeconds(120),
                Duration.ofSeconds(600),
                Duration.ofSeconds(300),
                Duration.ofSeconds(60),
                Duration.ofMillis(4500),
                Duration.ofSeconds(5));
    }
}
