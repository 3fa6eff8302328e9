package skulk.kernel.plugin;

import java.lang.module.Configuration;
import java.lang.module.FindException;
import java.lang.module.ModuleFinder;
import java.lang.module.ResolutionException;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import skulk.api.Plugin;

/**
 * A plugin's own module layer: its libraries win over the kernel's, no sibling sees it, the class path never leaks in.
 *
 * @param layer child of the layer that the API was loaded in
 * @param loader the one loader of its modules, whose parent is the platform loader
 */
record PluginLayer(ModuleLayer layer, ClassLoader loader) {

    /**
     * Resolves and defines the modules of a plugin. No code of the plugin runs.
     *
     * @param nativeAccess whether its modules may call native code
     */
    static PluginLayer define(PluginDescriptor descriptor, ModuleLayer parent, boolean nativeAccess) throws Refusal {
        try {
            Configuration configuration = Configuration.resolve(
                    descriptor.finder(), List.of(parent.configuration()), ModuleFinder.of(), descriptor.modules());
            ModuleLayer.Controller controller = ModuleLayer.defineModulesWithOneLoader(
                    configuration, List.of(parent), ClassLoader.getPlatformClassLoader());
            if (nativeAccess) {
                controller.layer().modules().forEach(controller::enableNativeAccess);
            }
            return new PluginLayer(controller.layer(), controller.layer().findLoader(descriptor.id()));
        } catch (FindException | ResolutionException | LayerInstantiationException e) {
            throw new Refusal(
                    descriptor.file(),
                    "its modules cannot be resolved (" + PluginDescriptor.rootMessage(e) + ")",
                    "add the missing jar to its folder, or remove the conflicting one",
                    e);
        }
    }

    /** Makes the plugin's entry object; the first code of the plugin to run. */
    Plugin instantiate(PluginDescriptor descriptor) throws Refusal {
        try {
            return providers(Plugin.class)
                    .findFirst()
                    .orElseThrow(() -> new Refusal(descriptor.file(), "its provider vanished", "copy it again"))
                    .get();
        } catch (ServiceConfigurationError e) {
            throw new Refusal(
                    descriptor.file(),
                    "its entry class cannot be made (" + PluginDescriptor.rootMessage(e) + ")",
                    "it needs a public constructor without parameters that does not throw",
                    e);
        }
    }

    /** The providers of a service in this very layer; {@link ServiceLoader} also finds those of the parents. */
    <S> Stream<ServiceLoader.Provider<S>> providers(Class<S> service) {
        return ServiceLoader.load(layer, service).stream()
                .filter(provider -> provider.type().getModule().getLayer() == layer);
    }
}
