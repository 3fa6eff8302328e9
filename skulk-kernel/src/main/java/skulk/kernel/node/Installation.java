package skulk.kernel.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the program runs from. The launcher's Java options lie in {@code lib/<kind>.options} of the distribution, one option per line; both the launcher
 * script and the start of child processes read them there, so that they have one place.
 *
 * @param root the distribution's folder ({@code bin lib plugins conf models}); empty where the program was started from class folders, as tests do
 * @param java the program that runs this process
 */
public record Installation(Optional<Path> root, Path java) {

    /** The installation of this process, as the launcher named it in the system property {@code skulk.root}. */
    public static Installation current() {
        Optional<Path> root = Optional.ofNullable(System.getProperty("skulk.root"))
                .map(text -> Path.of(text).toAbsolutePath().normalize());
        return new Installation(root, Path.of(System.getProperty("java.home"), "bin", "java"));
    }

    /** The built-in plugins, one folder each. */
    public Optional<Path> plugins() {
        return root.map(r -> r.resolve("plugins"));
    }

    /** The models that come with the program, one {@code org--name} folder each. */
    public Optional<Path> models() {
        return root.map(r -> r.resolve("models"));
    }

    /**
     * The start of a command that runs a class of the kernel in a JVM with the vector module, as rank processes want it: the Java program, the options of
     * {@code lib/rank.options}, the module path and the class. Heap limits and arguments are the caller's to add: options go between
     * {@code command.getFirst()} and the rest, arguments at the end.
     */
    public List<String> rankCommand(String mainClass) {
        List<String> command = new ArrayList<>();
        command.add(java.toString());
        command.addAll(options("rank"));
        command.add("--module-path");
        command.add(modulePath());
        root.ifPresent(r -> command.add("-Dskulk.root=" + r));
        command.add("--module");
        command.add("skulk.kernel/" + mainClass);
        return command;
    }

    private String modulePath() {
        return root.map(r -> r.resolve("lib").toString()).orElseGet(() -> System.getProperty("jdk.module.path", ""));
    }

    private List<String> options(String kind) {
        if (root.isEmpty()) {
            return List.of("--add-modules", "ALL-DEFAULT,jdk.incubator.vector", "--enable-native-access=skulk.kernel");
        }
        Path file = root.get().resolve("lib").resolve(kind + ".options");
        try (var lines = Files.lines(file)) {
            return lines.map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the launcher options " + file, e);
        }
    }
}
