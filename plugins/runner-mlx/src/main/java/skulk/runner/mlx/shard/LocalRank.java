package skulk.runner.mlx.shard;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import skulk.api.RankContext;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;

/**
 * The program of a rank that {@link LocalGroup} starts. Its arguments are the folder, its rank, the number of ranks, its layers, its share of tensors, threads and
 * kernels; the first line of its input is rank 0's port and the group's key, and it ends when its input does.
 */
final class LocalRank {
    private static final int FAILED = 1;

    private LocalRank() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String[] leader = in.readLine().split(" ");
        Thread.ofPlatform().name("parent").daemon().start(() -> endWith(in));
        try {
            run(arguments, Integer.parseInt(leader[0]), HexFormat.of().parseHex(leader[1]));
        } catch (UncheckedIOException | CheckpointException | OutOfMemoryError e) {
            // its last line is what the group tells of it
            try (PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out))) {
                out.println(e.getMessage());
            }
            Runtime.getRuntime().halt(FAILED);
        }
        Runtime.getRuntime().halt(0);
    }

    private static void endWith(BufferedReader in) {
        try {
            while (in.readLine() != null) {
                continue; // nothing more is said
            }
        } catch (IOException e) {
            System.getLogger(LocalRank.class.getName()).log(System.Logger.Level.DEBUG, "input", e);
        }
        Runtime.getRuntime().halt(0);
    }

    private static void run(String[] a, int port, byte[] key) throws IOException, InterruptedException {
        int rank = Integer.parseInt(a[1]);
        int ranks = Integer.parseInt(a[2]);
        LoadOptions.Shard part = new LoadOptions.Shard(
                Integer.parseInt(a[3]), Integer.parseInt(a[4]), Integer.parseInt(a[5]), Integer.parseInt(a[6]));
        try (SocketLinks links = SocketLinks.join(rank, ranks, port, key)) {
            RankGroup group = new RankGroup(links, rank, ranks);
            LoadOptions options = LoadOptions.defaults()
                    .withThreads(Integer.parseInt(a[7]))
                    .withKernels(LoadOptions.Kernels.valueOf(a[8]))
                    .withShard(part, group.collectives());
            Decoder decoder = DecoderLoader.load(Path.of(a[0]), options);
            RankContext.Watcher silent =
                    RankContext.Watcher.silent(reason -> Runtime.getRuntime().halt(FAILED));
            try (Follower follower = new Follower(decoder, group, silent)) {
                follower.awaitEnd();
            }
        }
    }
}
