package skulk.kernel.plugin;

import java.nio.file.Path;
import skulk.api.Cluster;
import skulk.api.Inference;
import skulk.api.Telemetry;
import skulk.kernel.config.Configuration;
import skulk.kernel.node.Home;

/**
 * What the process lends to all its plugins.
 *
 * @param builtIn tells the files whose modules may call native code without being listed in {@code plugins.native_access}
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
        boolean builtIn(Path file);
    }

    /** Whether a plugin is one of those that a list of ids or names means. */
    static boolean listed(Iterable<String> list, String id) {
        for (String entry : list) {
            if (entry.equals(id) || entry.equals(PluginDescriptor.nameOf(id))) {
                return true;
            }
        }
        return false;
    }
}
