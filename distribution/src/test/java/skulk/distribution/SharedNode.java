package skulk.distribution;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Lends one node with the embedded, the {@link Scripted} and the {@link EmbedModels} placed to all classes of a run that ask for a {@link ServingNode}. */
final class SharedNode implements ParameterResolver {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == ServingNode.class;
    }

    @Override
    public ServingNode resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return context.getRoot()
                .getStore(ExtensionContext.Namespace.GLOBAL)
                .computeIfAbsent("skulk.node", key -> Held.start(), Held.class)
                .node();
    }

    /** Ended by the store when the last test has run. */
    private record Held(ServingNode node, Path home) implements AutoCloseable {
        static Held start() {
            try {
                Path home = Files.createTempDirectory("skulk-it");
                try {
                    Scripted.install(home);
                    EmbedModels.install(home);
                    return new Held(placed(ServingNode.start(home)), home);
                } catch (Exception | AssertionError e) {
                    PluginSources.delete(home);
                    throw e;
                }
            } catch (Exception e) {
                throw new IllegalStateException("no node to test with", e);
            }
        }

        private static ServingNode placed(ServingNode node) throws Exception {
            try {
                return node.place(ServingNode.TINY, Scripted.MODEL, EmbedModels.MINILM, EmbedModels.POOLED);
            } catch (Exception | AssertionError e) {
                node.close();
                throw e;
            }
        }

        @Override
        public void close() throws IOException {
            node.close();
            PluginSources.delete(home);
        }
    }
}
