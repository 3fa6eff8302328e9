package skulk.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import skulk.kernel.node.Installation;

/** The further nodes of the demo: processes of their own, as on machines of their own. */
final class DemoNodes implements AutoCloseable {
    /** Forecasts are not what a demo shows, and measuring would disturb it. */
    static final List<String> NO_MEASURING = List.of("--set", "inference.measure=false");

    private static final Duration END = Duration.ofSeconds(10);

    private final Path home;
    private final List<String> shared;
    private final List<Process> processes = new ArrayList<>();

    /** @param shared arguments of every node, how to join among them */
    DemoNodes(Path home, List<String> shared) {
        this.home = home;
        this.shared = shared;
    }

    /** The name of a node by its number, from 1. */
    static String name(int number) {
        return "demo-" + number;
    }

    /** Starts one more. @throws IOException where the program was not started by its launcher */
    void start(int number) throws IOException {
        Path root = Installation.current()
                .root()
                .orElseThrow(
                        () -> new IOException("more than one node needs the distribution: start it with bin/skulk"));
        List<String> command = new ArrayList<>(List.of(root.resolve("bin/skulk").toString(), "serve", "-q"));
        command.addAll(List.of("--home", home.resolve(name(number)).toString(), "--name", name(number)));
        command.addAll(List.of("--api-port", "0", "--cluster-port", "0"));
        command.addAll(NO_MEASURING);
        command.addAll(shared);
        processes.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(home.resolve(name(number) + ".log").toFile())
                .start());
    }

    /** Kills the newest one, as a power cut would. @return its process id */
    long kill() throws InterruptedException {
        Process last = processes.removeLast();
        List<ProcessHandle> ranks = last.descendants().toList();
        last.destroyForcibly();
        ranks.forEach(ProcessHandle::destroyForcibly);
        last.waitFor();
        return last.pid();
    }

    @Override
    public void close() {
        processes.forEach(Process::destroy);
        for (Process process : processes) {
            try {
                if (!process.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
