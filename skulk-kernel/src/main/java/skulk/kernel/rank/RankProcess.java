package skulk.kernel.rank;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * One child JVM and the socket to it: spawned, read, and ended by the escalation ask → terminate → kill (contract section 10). Knows frames, not their meaning;
 * {@link RankHost} does.
 */
final class RankProcess {
    private static final System.Logger LOG = System.getLogger(RankProcess.class.getName());
    private static final int STDERR_TAIL = 40;
    /** Longest path of a Unix-domain socket that all systems take. */
    private static final int MAX_SOCKET_PATH = 100;

    private final String label;
    private final Process process;
    private final Duration escalation;
    private final Deque<String> stderr = new ArrayDeque<>();
    private final Instant startedAt = Instant.now();
    private volatile FrameLink<ToRank, FromRank> link;
    private volatile String reason = "";
    private volatile boolean ending;

    private RankProcess(String label, Process process, Duration escalation) {
        this.label = label;
        this.process = process;
        this.escalation = escalation;
    }

    /** What a rank process does to its host. Called from threads of the process's own, one at a time for {@code heard}. */
    interface Listener {
        void heard(FromRank frame);

        /** The process is gone; nothing is heard after. */
        void exited(Exit exit);
    }

    /**
     * Starts the process; its first words arrive at the listener.
     *
     * @throws IOException where the program cannot be started or the socket not be made
     */
    static RankProcess start(RankSpec.Launch launch, RankSpec spec, List<String> options, Listener listener)
            throws IOException {
        Path socket = socket(launch.sockets());
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(socket));
            List<String> command = new ArrayList<>(launch.command());
            command.addAll(1, options);
            command.add(socket.toString());
            command.add(Long.toString(ProcessHandle.current().pid()));
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            RankProcess rank =
                    new RankProcess(spec.label(), process, launch.deadlines().escalation());
            Thread.ofVirtual().name(spec.label() + "-log").start(rank::log);
            process.onExit().thenRun(() -> closeQuietly(server, socket)); // ends an accept that waits in vain
            Thread.ofVirtual().name(spec.label() + "-frames").start(() -> rank.talk(server, socket, listener));
            return rank;
        } catch (IOException e) {
            closeQuietly(server, socket);
            throw e;
        }
    }

    private static Path socket(Path directory) throws IOException {
        String name = UUID.randomUUID().toString().substring(0, 8) + ".sock";
        Path socket = directory.resolve(name);
        if (socket.toString().length() > MAX_SOCKET_PATH) {
            return Files.createTempDirectory("skulk").resolve(name);
        }
        Files.createDirectories(directory);
        return socket;
    }

    private void talk(ServerSocketChannel server, Path socket, Listener listener) {
        try {
            var channel = server.accept();
            closeQuietly(server, socket);
            FrameLink<ToRank, FromRank> opened = new FrameLink<>(channel, FromRank.class, batch -> batch, label);
            link = opened;
            opened.read(frame -> {
                if (frame instanceof FromRank.Broken broken) {
                    reason = broken.reason();
                }
                listener.heard(frame);
            });
        } catch (IOException e) {
            if (process.isAlive() && !ending) {
                LOG.log(System.Logger.Level.WARNING, "{0}: connection broken: {1}", label, e.getMessage());
            }
        }
        if (!exits(Duration.ofSeconds(1))) {
            end(); // without its socket a rank is of no use
        }
        int code = process.onExit().join().exitValue();
        FrameLink<ToRank, FromRank> opened = link;
        if (opened != null) {
            opened.close();
        }
        listener.exited(new Exit(code, reason.isEmpty() ? Optional.empty() : Optional.of(reason)));
    }

    private void log() {
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (stderr) {
                    stderr.addLast(line);
                    if (stderr.size() > STDERR_TAIL) {
                        stderr.removeFirst();
                    }
                }
                LOG.log(level(line), "[{0}] {1}", label, line);
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "output of " + label, e); // it ended while we read
        }
    }

    /** A rank's troubles reach its node as status with a reason; its own lines are for reading along, but for what asks for a person and the JVM's word on the vector module. */
    static System.Logger.Level level(String line) {
        if (line.contains("CRITICAL")) {
            return System.Logger.Level.ERROR;
        }
        return line.equals("WARNING: Using incubator modules: jdk.incubator.vector")
                ? System.Logger.Level.DEBUG
                : System.Logger.Level.INFO;
    }

    private static void closeQuietly(ServerSocketChannel server, Path socket) {
        try {
            server.close();
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "removing " + socket, e);
        }
    }

    /** Queues a frame; lost where the process is not connected. */
    void send(ToRank frame) {
        FrameLink<ToRank, FromRank> opened = link;
        if (opened != null) {
            opened.send(frame);
        }
    }

    long pid() {
        return process.pid();
    }

    boolean alive() {
        return process.isAlive();
    }

    Optional<Integer> exitCode() {
        return process.isAlive() ? Optional.empty() : Optional.of(process.exitValue());
    }

    Instant startedAt() {
        return startedAt;
    }

    /** The last lines that the process wrote. */
    List<String> output() {
        synchronized (stderr) {
            return List.copyOf(stderr);
        }
    }

    /** Asks, then terminates, then kills. Returns at once. */
    void stop() {
        ending = true;
        send(new ToRank.Shutdown());
        Thread.ofVirtual().name(label + "-end").start(() -> {
            if (!exits(escalation)) {
                end();
            }
        });
    }

    /** Kills at once, with a reason for the failure's text; for a process that does not answer. */
    void kill(String why) {
        reason = why;
        ending = true;
        process.destroyForcibly();
    }

    private void end() {
        ending = true;
        process.destroy();
        if (!exits(escalation)) {
            LOG.log(System.Logger.Level.WARNING, "{0} (pid {1}) ignores SIGTERM, killing it", label, process.pid());
            process.destroyForcibly();
        }
    }

    private boolean exits(Duration within) {
        try {
            return process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Runs an action when the process has gone. */
    void onExit(Consumer<RankProcess> action) {
        process.onExit().thenRun(() -> action.accept(this));
    }
}
