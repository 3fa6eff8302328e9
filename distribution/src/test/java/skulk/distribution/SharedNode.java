package skulk.distribution;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Lends one node with the embedded and the {@link Scripted} model placed to all classes of a run that ask for a {@link ServingNode}. */
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
                Scripted.install(home);
                ServingNode node = ServingNode.start(home);
                try {
                    return new Held(node.place(ServingNode.TINY).place(Scripted.MODEL), home);
                } catch (Exception | AssertionError e) {
                    node.close();
                    throw e;
                }
            } catch (Exception e) {
                throw new IllegalStateException("no node to test with", e);
            }
        }

        @Override
        public void close() throws IOException {
            node.close();
            PluginSources.delete(home);
        }
    }
}
