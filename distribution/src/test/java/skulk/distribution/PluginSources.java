package skulk.distribution;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/** Makes plugin jars out of sources while tests run, against the API of the packaged program. */
final class PluginSources {
    private PluginSources() {}

    /** The packaged jar whose name begins so. */
    static Path library(String name) throws IOException {
        try (Stream<Path> jars = Files.list(SkulkProcess.root().resolve("lib"))) {
            return jars.filter(jar -> jar.getFileName().toString().startsWith(name + "-"))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no " + name + " in lib"));
        }
    }

    /** Sources of a plugin that offers one route, {@code GET /<name>}, whose answer is the value of an expression. */
    static Map<String, String> answering(String name, String requires, String expression) {
        return plugin(name, requires, """
                return java.util.List.of(new skulk.api.HttpFeature() {
                    public String name() { return "%1$s"; }
                    public java.util.List<skulk.api.http.Route> routes() {
                        return java.util.List.of(new skulk.api.http.Route("GET", "/%1$s", skulk.api.http.Route.Scope.OPEN,
                            exchange -> exchange.respond(skulk.api.http.Response.json(200, skulk.api.json.JsonObject.of("value", %2$s)))));
                    }
                });
                """.formatted(name, expression));
    }

    /** Sources of a plugin module with a body for {@code start}. */
    static Map<String, String> plugin(String name, String requires, String start) {
        return new TreeMap<>(Map.of(
                "module-info.java",
                "module test.%1$s { %2$s provides skulk.api.Plugin with test.%1$s.Entry; }".formatted(name, requires),
                "Entry.java",
                """
                package test.%s;
                public final class Entry implements skulk.api.Plugin {
                    public java.util.List<? extends skulk.api.Extension> start(skulk.api.PluginContext context) throws Exception {
                        %s
                    }
                    public void stop() {}
                }
                """.formatted(name, start)));
    }

    /** Compiles sources by file name into a jar; whatever lies in {@code modules} can be required. */
    static Path jar(Path target, Map<String, String> sources, Path... modules) throws IOException {
        Path folder = Files.createTempDirectory("skulk-sources");
        try {
            List<Path> files = new ArrayList<>();
            for (Map.Entry<String, String> source : sources.entrySet()) {
                files.add(Files.writeString(folder.resolve(source.getKey()), source.getValue()));
            }
            return compiled(target, files, modules);
        } finally {
            delete(folder);
        }
    }

    /** Compiles source files into a jar. */
    static Path compiled(Path target, List<Path> sources, Path... modules) throws IOException {
        Path classes = Files.createTempDirectory("skulk-classes");
        try {
            compile(classes, sources, modules);
            Files.createDirectories(target.getParent());
            try (OutputStream bytes = Files.newOutputStream(target);
                    JarOutputStream jar = new JarOutputStream(bytes);
                    Stream<Path> all = Files.walk(classes)) {
                for (Path file : all.filter(Files::isRegularFile).sorted().toList()) {
                    jar.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                    Files.copy(file, jar);
                    jar.closeEntry();
                }
            }
            return target;
        } finally {
            delete(classes);
        }
    }

    private static void compile(Path classes, List<Path> sources, Path... modules) throws IOException {
        List<String> path = new ArrayList<>(List.of(library("skulk-api").toString()));
        for (Path module : modules) {
            path.add(module.toString());
        }
        List<String> arguments = new ArrayList<>(
                List.of("-d", classes.toString(), "-nowarn", "-proc:none", "--module-path", String.join(":", path)));
        sources.forEach(source -> arguments.add(source.toString()));
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        if (ToolProvider.findFirst("javac").orElseThrow().run(out, out, arguments.toArray(String[]::new)) != 0) {
            throw new IOException(messages.toString());
        }
    }

    /** Deletes a folder and everything in it. */
    static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
