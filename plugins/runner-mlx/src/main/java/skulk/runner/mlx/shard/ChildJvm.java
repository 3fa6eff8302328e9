package skulk.runner.mlx.shard;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.module.ModuleReference;
import java.lang.module.ResolvedModule;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Starts a Java process from the modules (or, without modules, the class path) that this one runs from. */
final class ChildJvm {
    private ChildJvm() {}

    /** Starts a main class of this module; the child's standard error joins its standard output. */
    static Process start(Class<?> main, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(ChildJvm::passedOn)
                .forEach(command::add);
        command.add("--add-modules=jdk.incubator.vector");
        Module module = main.getModule();
        if (module.isNamed()) {
            command.add("--enable-native-access=" + module.getName());
            command.add("--module-path=" + path(module));
            command.add("--module=" + module.getName() + "/" + main.getName());
        } else {
            command.add("--enable-native-access=ALL-UNNAMED");
            command.add("--class-path=" + System.getProperty("java.class.path"));
            command.add(main.getName());
        }
        command.addAll(arguments);
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    /** Heap and collector as here; caches and logs are this process's own. */
    private static boolean passedOn(String option) {
        return option.startsWith("-X")
                && !option.contains("AOT")
                && !option.startsWith("-Xlog")
                && !option.startsWith("-Xshare");
    }

    /** Where the modules of the plugin's layer and the API come from. */
    private static String path(Module module) {
        ModuleLayer layer = module.getLayer();
        Set<String> places = new LinkedHashSet<>();
        layer.configuration().modules().stream()
                .map(ResolvedModule::reference)
                .forEach(reference -> place(reference).ifPresent(places::add));
        layer.configuration()
                .findModule("skulk.api")
                .flatMap(api -> place(api.reference()))
                .ifPresent(places::add);
        return places.stream().collect(Collectors.joining(java.io.File.pathSeparator));
    }

    private static Optional<String> place(ModuleReference reference) {
        return reference
                .location()
                .filter(uri -> "file".equals(uri.getScheme()))
                .map((URI uri) -> Path.of(uri).toString());
    }
}
