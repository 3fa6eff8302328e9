package skulk.api;

import java.nio.file.Path;

/** What the kernel lends a plugin; valid from start until stop returns. Safe for use by several threads. */
public interface PluginContext {
    /** The plugin's own section of the configuration. */
    Settings settings();

    /** A directory of the plugin's own under the node's home; created on first call. */
    Path workDirectory();

    /** The cluster: its newest state, and the operations a plugin may ask of it. */
    Cluster cluster();

    /** Generates or embeds with whatever is placed. */
    Inference inference();

    /** Where measurements go; never blocks, never throws. */
    Telemetry telemetry();
}
