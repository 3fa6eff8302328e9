package skulk.kernel.plugin;

import java.io.IOException;
import java.lang.module.FindException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import skulk.api.Plugin;

/**
 * What a plugin's folder or jar says of itself, read from module descriptors before any class is loaded.
 *
 * @param id name of the module that provides {@link Plugin}
 * @param version of that module, "" where it has none
 * @param file the folder or jar
 * @param finder finds the modules of the folder
 * @param modules their names, libraries included
 */
record PluginDescriptor(String id, String version, Path file, ModuleFinder finder, Set<String> modules) {
    private static final String API = "skulk.api";
    private static final String SERVICE = Plugin.class.getName();

    /** The name of a plugin's section in the configuration and of its work directory: {@code skulk.storage.hub} is {@code storage-hub}. */
    String name() {
        return nameOf(id);
    }

    static String nameOf(String id) {
        return (id.startsWith("skulk.") ? id.substring("skulk.".length()) : id).replace('.', '-');
    }

    /**
     * Reads and checks a folder or jar.
     *
     * @param running the API's module in this process
     */
    static PluginDescriptor read(Path file, Module running) throws Refusal {
        ModuleFinder finder = ModuleFinder.of(file);
        Set<ModuleReference> found = find(file, finder);
        if (found.isEmpty()) {
            throw new Refusal(file, "holds no module", "put the plugin's jars directly into the folder");
        }
        ModuleDescriptor plugin = provider(file, found);
        for (ModuleReference reference : found) {
            checkApi(file, reference.descriptor(), plugin, running);
        }
        checkVersion(file, plugin, running);
        return new PluginDescriptor(
                plugin.name(),
                plugin.rawVersion().orElse(""),
                file,
                finder,
                found.stream().map(r -> r.descriptor().name()).collect(Collectors.toUnmodifiableSet()));
    }

    private static Set<ModuleReference> find(Path file, ModuleFinder finder) throws Refusal {
        for (Path jar : jars(file)) {
            try (ZipFile zip = new ZipFile(jar.toFile())) {
                zip.size();
            } catch (IOException e) {
                throw new Refusal(jar, "is not a readable jar (" + e.getMessage() + ")", "copy it again", e);
            }
        }
        try {
            return finder.findAll();
        } catch (FindException | SecurityException e) {
            throw new Refusal(
                    file, "its modules cannot be read (" + rootMessage(e) + ")", "rebuild or copy it again", e);
        }
    }

    private static List<Path> jars(Path file) throws Refusal {
        if (!Files.isReadable(file)) {
            throw new Refusal(file, "cannot be read", "check its permissions");
        }
        if (!Files.isDirectory(file)) {
            return List.of(file);
        }
        try (Stream<Path> entries = Files.list(file)) {
            return entries.filter(e -> e.toString().endsWith(".jar")).sorted().toList();
        } catch (IOException e) {
            throw new Refusal(file, "cannot be listed (" + e.getMessage() + ")", "check its permissions", e);
        }
    }

    private static ModuleDescriptor provider(Path file, Set<ModuleReference> found) throws Refusal {
        List<ModuleDescriptor> providers = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        for (ModuleReference reference : found) {
            for (ModuleDescriptor.Provides provides : reference.descriptor().provides()) {
                if (provides.service().equals(SERVICE)) {
                    providers.add(reference.descriptor());
                    classes.addAll(provides.providers());
                }
            }
        }
        if (providers.isEmpty()) {
            throw new Refusal(
                    file,
                    "no module provides " + SERVICE,
                    "add 'provides " + SERVICE + " with …;' to the plugin's module-info.java");
        }
        if (classes.size() > 1) {
            throw new Refusal(
                    file,
                    "several classes provide " + SERVICE + ": "
                            + classes.stream().sorted().toList(),
                    "one folder is one plugin: keep one of them");
        }
        if (providers.getFirst().isAutomatic()) {
            throw new Refusal(
                    file,
                    "module " + providers.getFirst().name() + " has no module-info",
                    "the plugin itself must be a named module; only its libraries may be automatic ones");
        }
        return providers.getFirst();
    }

    private static void checkApi(Path file, ModuleDescriptor module, ModuleDescriptor plugin, Module running)
            throws Refusal {
        boolean own = module.name().equals(plugin.name());
        if (module.name().equals(API) || (!own && module.name().startsWith("skulk."))) {
            throw new Refusal(
                    file,
                    "carries its own copy of " + module.name(),
                    "remove that jar; the node provides skulk.api and nothing else of Skulk is shared");
        }
        Optional<String> copied = module.packages().stream()
                .filter(running.getPackages()::contains)
                .sorted()
                .findFirst();
        if (copied.isPresent()) {
            throw new Refusal(
                    file,
                    "module " + module.name() + " carries the package " + copied.get() + " of skulk.api",
                    "remove these classes; the node provides them");
        }
        for (ModuleDescriptor.Requires requires : module.requires()) {
            if (requires.name().startsWith("skulk.") && !requires.name().equals(API)) {
                throw new Refusal(
                        file,
                        "module " + module.name() + " requires " + requires.name(),
                        "plugins may require skulk.api only; ask for what is missing there");
            }
        }
        if (own && module.requires().stream().noneMatch(r -> r.name().equals(API))) {
            throw new Refusal(
                    file, "module " + module.name() + " does not require skulk.api", "add 'requires skulk.api;'");
        }
    }

    private static void checkVersion(Path file, ModuleDescriptor plugin, Module running) throws Refusal {
        Optional<String> compiled = plugin.requires().stream()
                .filter(r -> r.name().equals(API))
                .findFirst()
                .flatMap(ModuleDescriptor.Requires::rawCompiledVersion);
        Optional<String> current = Optional.ofNullable(running.getDescriptor()).flatMap(ModuleDescriptor::rawVersion);
        Optional<ApiVersion> had = compiled.flatMap(ApiVersion::parse);
        Optional<ApiVersion> have = current.flatMap(ApiVersion::parse);
        if (had.isPresent() && have.isPresent() && !have.get().runs(had.get())) {
            throw new Refusal(
                    file,
                    "was compiled against skulk.api %s, this node has %s".formatted(compiled.get(), current.get()),
                    "install the plugin's build for this version, or compile it again");
        }
    }

    static String rootMessage(Throwable e) {
        Throwable at = e;
        while (at.getCause() != null && at.getCause() != at) {
            at = at.getCause();
        }
        return at.getMessage() == null ? at.getClass().getSimpleName() : at.getMessage();
    }
}
