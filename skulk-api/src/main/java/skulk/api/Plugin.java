package skulk.api;

import java.util.List;

/**
 * One loadable unit and the only type the kernel looks up with {@link java.util.ServiceLoader}: exactly one provider per plugin folder, found by
 * the module descriptor before any class is loaded.
 *
 * <p>The kernel calls both methods from one thread with the plugin's loader as context class loader.
 */
public interface Plugin {
    /**
     * Acquires what the plugin needs and returns what it offers; called once, before any offer is used.
     *
     * @throws Exception any failure; the plugin is then FAILED with the message as reason, and the node goes on unless the configuration marks it required
     */
    List<? extends Extension> start(PluginContext context) throws Exception;

    /** Releases what {@code start} acquired; called once, after the last offer has been withdrawn, also where start threw. */
    default void stop() {}
}
