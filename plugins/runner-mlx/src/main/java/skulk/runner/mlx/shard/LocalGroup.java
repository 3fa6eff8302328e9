package skulk.runner.mlx.shard;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.schedule.StepPlan;

/** A model over several processes of this machine, for tools: this process is rank 0, the others are its children and end with it. */
public final class LocalGroup implements AutoCloseable {
    private static final int SECONDS_TO_END = 5;

    private final List<Child> children = new ArrayList<>();
    private final RankGroup group;
    private final SocketLinks links;
    private final Decoder decoder;

    private record Child(int rank, Process process) {}

    /**
     * Starts the ranks and loads the model.
     *
     * @param parts which part each rank holds, at least two
     * @throws IOException where a rank ends before the group is complete, with its last words
     * @throws skulk.runner.mlx.checkpoint.CheckpointException where the model cannot be split like that
     */
    public LocalGroup(Path folder, List<LoadOptions.Shard> parts, LoadOptions options) throws IOException {
        byte[] key = new byte[SocketLinks.KEY];
        new SecureRandom().nextBytes(key);
        try (ServerSocketChannel server = SocketLinks.listen()) {
            for (int rank = 1; rank < parts.size(); rank++) {
                List<String> task = task(folder, parts, rank, options);
                children.add(start(rank, task, SocketLinks.port(server), key, server));
            }
            links = SocketLinks.lead(server, parts.size(), key);
        } catch (IOException e) {
            IOException explained = explain(e);
            endChildren();
            throw explained;
        }
        group = new RankGroup(links, 0, parts.size());
        try {
            decoder =
                    group.leading(DecoderLoader.load(folder, options.withShard(parts.getFirst(), group.collectives())));
        } catch (UncheckedIOException e) {
            IOException explained = explain(e.getCause());
            end();
            throw explained;
        } catch (RuntimeException | Error e) {
            end();
            throw e;
        }
    }

    private static List<String> task(Path folder, List<LoadOptions.Shard> parts, int rank, LoadOptions options) {
        LoadOptions.Shard part = parts.get(rank);
        return List.of(
                folder.toString(),
                Integer.toString(rank),
                Integer.toString(parts.size()),
                Integer.toString(part.firstLayer()),
                Integer.toString(part.endLayer()),
                Integer.toString(part.tensorRank()),
                Integer.toString(part.tensorRanks()),
                Integer.toString(options.threads()),
                options.kernels().name());
    }

    private static Child start(int rank, List<String> task, int port, byte[] key, ServerSocketChannel server)
            throws IOException {
        Process process = ChildJvm.start(LocalRank.class, task);
        OutputStream in = process.getOutputStream(); // stays open: its end tells the child that this process has ended
        in.write((port + " " + HexFormat.of().formatHex(key) + "\n").getBytes(StandardCharsets.UTF_8));
        in.flush();
        process.onExit().thenRun(() -> {
            try {
                server.close(); // nobody waits for a rank that has ended
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return new Child(rank, process);
    }

    /** The words of the ranks that have ended by themselves, or what this process saw. */
    private IOException explain(IOException seen) {
        for (Child child : children) {
            try {
                if (child.process.waitFor(1, TimeUnit.SECONDS)) {
                    return new IOException("rank " + child.rank + " ended: " + lastLine(child.process), seen);
                }
            } catch (IOException e) {
                seen.addSuppressed(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return seen;
    }

    private static String lastLine(Process process) throws IOException {
        try (BufferedReader out = process.inputReader()) {
            return out.lines().reduce("", (before, line) -> line.isBlank() ? before : line);
        }
    }

    /** Rank 0's decoder; every step must be told to {@link #plan} first. */
    public Decoder decoder() {
        return decoder;
    }

    /** Tells the other ranks of a step. */
    public void plan(StepPlan plan) {
        group.plan(plan);
    }

    /** Process ids of the other ranks. */
    public List<Long> processes() {
        return children.stream().map(child -> child.process.pid()).toList();
    }

    @Override
    public void close() {
        decoder.close();
        end();
    }

    private void end() {
        group.close();
        try {
            links.close();
        } catch (IOException e) {
            System.getLogger(LocalGroup.class.getName()).log(System.Logger.Level.DEBUG, "closing links", e);
        }
        endChildren();
    }

    /** They end by themselves when their links do. */
    private void endChildren() {
        for (Child child : children) {
            try {
                child.process.getOutputStream().close();
                if (!child.process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS)) {
                    child.process.destroyForcibly();
                }
            } catch (IOException e) {
                child.process.destroyForcibly();
            } catch (InterruptedException e) {
                child.process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
