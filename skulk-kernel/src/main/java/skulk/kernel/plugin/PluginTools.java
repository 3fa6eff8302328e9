package skulk.kernel.plugin;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.spi.ToolProvider;
import skulk.api.Plugin;

/** Command-line tools that plugins bring: providers of {@link ToolProvider}, found by the descriptors before any class is loaded. */
public final class PluginTools {
    private static final String SERVICE = ToolProvider.class.getName();

    private PluginTools() {}

    /**
     * A tool by name.
     *
     * @param directory of the built-in plugins
     * @throws IOException where a plugin that brings tools cannot be loaded
     */
    public static Optional<ToolProvider> find(Path directory, String name) throws IOException {
        Module api = Plugin.class.getModule();
        ModuleLayer parent = Optional.ofNullable(api.getLayer()).orElseGet(ModuleLayer::boot);
        List<String> refused = new ArrayList<>();
        for (Path file : Plugins.Source.directories(List.of(directory)).files()) {
            try {
                PluginDescriptor descriptor = PluginDescriptor.read(file, api);
                if (bringsTools(descriptor)) {
                    PluginLayer layer = PluginLayer.define(descriptor, parent, true);
                    Thread.currentThread().setContextClassLoader(layer.loader());
                    Optional<ToolProvider> found = layer.providers(ToolProvider.class)
                            .map(ServiceLoader.Provider::get)
                            .filter(tool -> tool.name().equals(name))
                            .findFirst();
                    if (found.isPresent()) {
                        return found;
                    }
                }
            } catch (Refusal e) {
                refused.add(e.getMessage());
            }
        }
        if (!refused.isEmpty()) {
            throw new IOException(String.join("; ", refused));
        }
        return Optional.empty();
    }

    private static boolean bringsTools(PluginDescriptor descriptor) {
        return descriptor.finder().find(descriptor.id()).stream()
                .flatMap(reference -> reference.descriptor().provides().stream())
                .anyMatch(provides -> provides.service().equals(SERVICE));
    }
}
