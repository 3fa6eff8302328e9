package skulk.kernel.plugin;

import java.util.Set;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.Telemetry;
import skulk.kernel.config.Configuration;
import skulk.kernel.node.Home;

/**
 * What the process lends to all its plugins.
 *
 * @param builtIn ids whose modules may call native code without being listed in {@code plugins.native_access}
 */
public record PluginEnvironment(
        Configuration configuration,
        Home home,
        Cluster cluster,
        Inference inference,
        Telemetry telemetry,
        NativeAccess builtIn) {

    /** Which files come with the program, and so are trusted with native code. */
    @FunctionalInterface
    public interface NativeAccess {
        boolean builtIn(java.nio.file.Path file);
    }

    /** Whether a plugin is one of those that a list of ids or names means. */
    static boolean listed(Iterable<String> list, String id) {
        for (String entry : list) {
            if (Set.of(id, PluginDescriptor.nameOf(id)).contains(entry)) {
                return true;
            }
        }
        return false;
    }
}
