package skulk.kernel.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.PluginContext;
import skulk.api.Settings;
import skulk.api.Telemetry;

/** What a plugin is lent. */
record KernelContext(Settings settings, Path directory, PluginEnvironment environment) implements PluginContext {

    @Override
    public Path workDirectory() {
        try {
            return Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create the work directory " + directory, e);
        }
    }

    @Override
    public Cluster cluster() {
        return environment.cluster();
    }

    @Override
    public Inference inference() {
        return environment.inference();
    }

    @Override
    public Telemetry telemetry() {
        return environment.telemetry();
    }
}
