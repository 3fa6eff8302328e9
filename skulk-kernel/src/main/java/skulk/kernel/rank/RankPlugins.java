package skulk.kernel.rank;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLContext;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation;
import skulk.api.operation.Operation.PluginStatus;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Configuration;
import skulk.kernel.node.Home;
import skulk.kernel.plugin.PluginEnvironment;
import skulk.kernel.plugin.Plugins;
import skulk.kernel.plugin.Registry;

/** Starts the plugins that a rank process needs, and no others. They have no cluster to ask there: a rank has its node for that. */
final class RankPlugins implements Engines.Source {

    @Override
    public Engines start(ToRank.Begin rank) throws IOException {
        return start(Path.of(rank.home()), rank.plugins().stream().map(Path::of).toList(), rank.sections());
    }

    /**
     * Starts plugins.
     *
     * @param home where they may write
     * @param files their folders or jars
     * @param settings their sections of the configuration, by name
     */
    Engines start(Path home, List<Path> files, JsonObject settings) throws IOException {
        Map<String, JsonObject> sections = new HashMap<>();
        settings.members().forEach((name, section) -> sections.put(name, (JsonObject) section));
        Registry registry = new Registry();
        // the node that named these files has decided already that they may be trusted
        PluginEnvironment environment = new PluginEnvironment(
                new Configuration(home.resolve("skulk.yaml"), false, Map.of(), sections, Map.of()),
                Home.of(Optional.of(home), Map.of()),
                new NoCluster(),
                new NoInference(),
                reading -> {},
                file -> true);
        Plugins plugins = new Plugins(() -> files, environment, registry);
        plugins.start();
        for (PluginStatus status : plugins.statuses()) {
            if (status.state().equals("FAILED")) {
                System.getLogger(RankPlugins.class.getName())
                        .log(
                                System.Logger.Level.WARNING,
                                "plugin {0} failed: {1}",
                                status.id(),
                                status.reason().orElse(""));
            }
        }
        return new Engines(registry.offers().runners(), registry.offers().drafters(), plugins::close);
    }

    private static SkulkException notHere() {
        return new SkulkException(Problem.Kind.NOT_READY, "A rank process cannot ask the cluster");
    }

    private static final class NoCluster implements Cluster {
        @Override
        public ClusterView view() {
            return ClusterView.empty(new NodeId("rank"));
        }

        @Override
        public Flow.Publisher<ClusterView> views() {
            return subscriber -> subscriber.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {}

                @Override
                public void cancel() {}
            });
        }

        @Override
        public CompletableFuture<Optional<SSLContext>> tls() {
            return new CompletableFuture<>(); // never joined
        }

        @Override
        public <R> R call(Operation<R> operation) {
            throw notHere();
        }
    }

    private static final class NoInference implements Inference {
        @Override
        public Generating generate(GenerationRequest request) {
            throw notHere();
        }

        @Override
        public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
            throw notHere();
        }

        @Override
        public int countTokens(GenerationRequest request) {
            throw notHere();
        }
    }
}
