package skulk.kernel.plugin;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import skulk.api.Plugin;

/** Compiles small plugins into jars while a test runs. */
final class PluginJars {
    private final Path work;

    PluginJars(Path work) {
        this.work = work;
    }

    /** Sources of a plugin module whose start runs the given statements before it returns no offers. */
    static Map<String, String> plugin(String module, String start, String stop) {
        return Map.of(
                "module-info.java",
                "module %s { requires skulk.api; provides skulk.api.Plugin with %s.Entry; }".formatted(module, module),
                module.replace('.', '/') + "/Entry.java",
                """
                package %s;
                public class Entry implements skulk.api.Plugin {
                    public java.util.List<? extends skulk.api.Extension> start(skulk.api.PluginContext context) throws Exception {
                        %s
                    }
                    public void stop() {
                        %s
                    }
                }
                """.formatted(module, start, stop));
    }

    /** Compiles sources by path into a jar. */
    Path jar(Path target, Map<String, String> sources, String... options) throws IOException {
        Path classes = Files.createTempDirectory(work, "classes");
        compile(sources, classes, options);
        Files.createDirectories(target.getParent());
        try (OutputStream out = Files.newOutputStream(target);
                JarOutputStream jar = new JarOutputStream(out);
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                jar.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                Files.copy(file, jar);
                jar.closeEntry();
            }
        }
        return target;
    }

    private void compile(Map<String, String> sources, Path classes, String... options) throws IOException {
        Path folder = Files.createTempDirectory(work, "sources");
        List<String> arguments = new ArrayList<>(List.of("-d", classes.toString(), "-nowarn", "-proc:none"));
        if (List.of(options).stream().noneMatch("--module-path"::equals)) {
            arguments.addAll(List.of("--module-path", api().toString()));
        }
        arguments.addAll(List.of(options));
        for (Map.Entry<String, String> source : sources.entrySet()) {
            Path file = folder.resolve(source.getKey());
            Files.createDirectories(file.getParent());
            Files.writeString(file, source.getValue());
            arguments.add(file.toString());
        }
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        ToolProvider compiler = ToolProvider.findFirst("javac").orElseThrow();
        if (compiler.run(out, out, arguments.toArray(String[]::new)) != 0) {
            throw new IOException(messages.toString());
        }
    }

    /** Where the running API's module lies. */
    static Path api() {
        return Path.of(Plugin.class
                .getModule()
                .getLayer()
                .configuration()
                .findModule("skulk.api")
                .orElseThrow()
                .reference()
                .location()
                .orElseThrow());
    }
}
