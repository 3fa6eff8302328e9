package skulk.api.fake;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.PluginContext;
import skulk.api.Settings;
import skulk.api.Telemetry;
import skulk.api.json.JsonObject;

/** A context to start a plugin with in a test. */
public record FakeContext(
        Settings settings, Path workDirectory, Cluster cluster, Inference inference, Telemetry telemetry)
        implements PluginContext {

    /** Empty settings, a fresh temporary directory that ends with the process if nothing is left in it, an empty cluster and an inference that has nothing placed. */
    public static FakeContext create() {
        return create(JsonObject.EMPTY);
    }

    /** As {@link #create()}, with the plugin's section of the configuration. */
    public static FakeContext create(JsonObject settings) {
        try {
            Path folder = Files.createTempDirectory("skulk-plugin");
            folder.toFile().deleteOnExit();
            return new FakeContext(
                    new FakeSettings(settings), folder, new FakeCluster(), new FakeInference(), reading -> {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public FakeContext with(Cluster other) {
        return new FakeContext(settings, workDirectory, other, inference, telemetry);
    }

    public FakeContext with(Inference other) {
        return new FakeContext(settings, workDirectory, cluster, other, telemetry);
    }
}
