package skulk.kernel.plugin;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import javax.net.ssl.SSLContext;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationRequest;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Explanation;
import skulk.kernel.config.Keys;
import skulk.kernel.node.Home;
import skulk.kernel.node.Installation;

/** Finds out which keys plugins read, by starting and stopping them away from any cluster. */
public final class PluginKeys {
    private PluginKeys() {}

    /** The keys of every plugin installed, in the order of plugins and keys; keys of the node's own that they share are left out. */
    public static List<Explanation.PluginKey> of(Installation installation, Configuration configuration, Home home) {
        Optional<Path> builtIn = installation.plugins();
        Nowhere nowhere = new Nowhere();
        PluginEnvironment environment = new PluginEnvironment(
                configuration,
                home,
                nowhere,
                nowhere,
                reading -> {},
                file -> builtIn.map(file::startsWith).orElse(false));
        List<Explanation.PluginKey> keys = new ArrayList<>();
        List<String> shared = Keys.ALL.stream().map(k -> k.name()).toList();
        try (Plugins plugins =
                new Plugins(Plugins.Source.directories(builtIn.stream().toList()), environment, new Registry())) {
            plugins.start();
            plugins.declared((plugin, key, fallback, meaning) -> {
                if (!shared.contains(key)) {
                    keys.add(new Explanation.PluginKey(plugin, key, fallback, meaning));
                }
            });
        }
        return keys;
    }

    /** A cluster that there is not. */
    private static final class Nowhere implements Cluster, Inference {
        private final ClusterView view = ClusterView.empty(NodeId.random());

        @Override
        public ClusterView view() {
            return view;
        }

        @Override
        public Flow.Publisher<ClusterView> views() {
            return new SubmissionPublisher<>();
        }

        @Override
        public CompletableFuture<Optional<SSLContext>> tls() {
            return new CompletableFuture<>(); // never joined
        }

        @Override
        public <R> R call(Operation<R> operation) {
            throw absent();
        }

        @Override
        public Generating generate(GenerationRequest request) {
            throw absent();
        }

        @Override
        public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
            throw absent();
        }

        @Override
        public int countTokens(GenerationRequest request) {
            throw absent();
        }

        private static SkulkException absent() {
            return new SkulkException(Problem.Kind.NOT_READY, "no node is running here");
        }
    }
}
