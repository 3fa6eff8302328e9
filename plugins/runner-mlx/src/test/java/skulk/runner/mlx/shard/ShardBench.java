package skulk.runner.mlx.shard;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.model.SyntheticCheckpoint;
import skulk.runner.mlx.sample.Sampler;
import skulk.runner.mlx.sample.SamplingPlan;
import skulk.runner.mlx.schedule.ContextLimit;
import skulk.runner.mlx.schedule.Job;
import skulk.runner.mlx.schedule.Scheduler;
import skulk.runner.mlx.schedule.StepPlan;

/**
 * How much faster two ranks are than one, each with one thread, in real processes; and what a message between two processes costs. Runs are interleaved, so that
 * what else the machine does hurts all alike; ratios are of the medians, of the best, and of the processor time of the busiest rank, which does not count waiting.
 *
 * <p>Arguments: folder of a checkpoint (written with the 1B shape at 4 bits if absent), rounds, layers of the first of two pipeline ranks.
 */
final class ShardBench {
    private static final int TOKENS = 16;
    private static final int VALUES = 2048;
    private static final int SUMS = 2000;

    private final PrintStream out;

    private ShardBench(PrintStream out) {
        this.out = out;
    }

    /** A way to run the model. */
    private record Setup(String name, Scheduler scheduler, List<Long> children, int streams) {
        /** Processor time of the busiest rank so far, in nanoseconds. */
        long[] cpu() {
            long[] nanos = new long[1 + children.size()];
            nanos[0] = ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                    .getProcessCpuTime();
            for (int i = 0; i < children.size(); i++) {
                nanos[1 + i] = ProcessHandle.of(children.get(i))
                        .flatMap(process -> process.info().totalCpuDuration())
                        .orElseThrow()
                        .toNanos();
            }
            return nanos;
        }
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("peer")) {
            latency(Integer.parseInt(arguments[1]));
            return;
        }
        ShardBench bench = new ShardBench(System.out);
        bench.latency();
        bench.speeds(Path.of(arguments[0]), Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
    }

    private void latency() throws Exception {
        try (ServerSocketChannel server = SocketLinks.listen()) {
            Process peer =
                    ChildJvm.start(ShardBench.class, List.of("peer", Integer.toString(SocketLinks.port(server))));
            try (SocketLinks links = SocketLinks.lead(server, 2, new byte[SocketLinks.KEY])) {
                long[] nanos = sums(new LinkCollectives(links, 0, 2));
                Arrays.sort(nanos);
                out.printf(
                        "all-reduce of %d floats between two processes: median %.1f us, fastest tenth %.1f us%n",
                        VALUES, nanos[nanos.length / 2] / 1e3, nanos[nanos.length / 10] / 1e3);
            }
            peer.waitFor();
        }
    }

    private static void latency(int port) throws IOException {
        try (SocketLinks links = SocketLinks.join(1, 2, port, new byte[SocketLinks.KEY])) {
            sums(new LinkCollectives(links, 1, 2));
        }
    }

    private static long[] sums(LinkCollectives collectives) {
        float[] values = new float[VALUES];
        long[] nanos = new long[SUMS];
        for (int i = 0; i < 3 * SUMS; i++) {
            long start = System.nanoTime();
            collectives.allReduce(values, 0, VALUES);
            nanos[i % SUMS] = System.nanoTime() - start;
        }
        return nanos;
    }

    private void speeds(Path folder, int rounds, int firstLayers) throws Exception {
        if (!Files.exists(folder.resolve("config.json"))) {
            SyntheticCheckpoint.write(folder, "llama-1b", 4, 64);
        }
        LoadOptions options = LoadOptions.defaults()
                .withThreads(1)
                .withLimits(new LoadOptions.Limits(Long.MAX_VALUE, 256L << 20, 4096));
        List<LoadOptions.Shard> layers = List.of(
                LoadOptions.Shard.layers(0, firstLayers), LoadOptions.Shard.layers(firstLayers, Integer.MAX_VALUE));
        try (Decoder whole = DecoderLoader.load(folder, options);
                LocalGroup tensor = new LocalGroup(folder, Splits.tensor(2), options);
                LocalGroup pipeline = new LocalGroup(folder, layers, options)) {
            // one scheduler per decoder: the other ranks know its sequences by number
            List<Setup> alone = List.of(
                    new Setup("single", scheduler(whole, plan -> {}, 1), List.of(), 1),
                    new Setup("tensor", scheduler(tensor.decoder(), tensor::plan, 1), tensor.processes(), 1),
                    new Setup("pipeline", scheduler(pipeline.decoder(), pipeline::plan, 2), pipeline.processes(), 1));
            List<Setup> setups = new ArrayList<>();
            for (int streams : new int[] {1, 2, 4}) {
                alone.forEach(setup -> setups.add(new Setup(setup.name, setup.scheduler, setup.children, streams)));
            }
            compare(setups, rounds);
            alone.forEach(setup -> setup.scheduler.close());
        }
    }

    private void compare(List<Setup> setups, int rounds) throws Exception {
        double[][] speeds = new double[setups.size()][rounds];
        double[] cpu = new double[setups.size()];
        for (int round = -1; round < rounds; round++) {
            for (int i = 0; i < setups.size(); i++) {
                long[] before = setups.get(i).cpu();
                double speed = decode(setups.get(i));
                if (round >= 0) {
                    speeds[i][round] = speed;
                    cpu[i] += busiest(before, setups.get(i).cpu());
                }
                out.printf(
                        "round %d: %s %d streams %.1f tokens/s%n",
                        round, setups.get(i).name, setups.get(i).streams, speed);
            }
        }
        for (int i = 0; i < setups.size(); i++) {
            double[] own = sorted(speeds[i]);
            double[] base = sorted(speeds[i / 3 * 3]);
            int at = i;
            double[] ratios = sorted(IntStream.range(0, rounds)
                    .mapToDouble(round -> speeds[at][round] / speeds[at / 3 * 3][round])
                    .toArray());
            out.printf(
                    "%-9s %d streams: median %6.1f tokens/s, best %6.1f; against single: x%.2f of medians, x%.2f of bests, x%.2f median of rounds, x%.2f by processor time of the busiest rank%n",
                    setups.get(i).name,
                    setups.get(i).streams,
                    own[rounds / 2],
                    own[rounds - 1],
                    own[rounds / 2] / base[rounds / 2],
                    own[rounds - 1] / base[rounds - 1],
                    ratios[rounds / 2],
                    cpu[i / 3 * 3] / cpu[i]);
        }
    }

    private static double busiest(long[] before, long[] after) {
        return IntStream.range(0, before.length)
                .mapToLong(rank -> after[rank] - before[rank])
                .max()
                .orElseThrow();
    }

    private static double[] sorted(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted;
    }

    private static Scheduler scheduler(Decoder decoder, Consumer<StepPlan> followers, int overlap) {
        Scheduler.Options options = new Scheduler.Options(8, 8, 1 << 20, 64, new ContextLimit(1024, 1024));
        return new Scheduler(decoder, options, new Quiet(), followers, overlap);
    }

    /** Tokens per second of all streams together while all of them run. */
    private static double decode(Setup setup) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(setup.streams);
        List<Collected> outputs = new ArrayList<>();
        for (int stream = 0; stream < setup.streams; stream++) {
            Collected output = new Collected(done);
            outputs.add(output);
            int[] prompt = IntStream.range(0, 8).map(i -> i * 7 + 1).toArray();
            prompt[0] = stream + 100;
            Sampler sampler = new Sampler(SamplingPlan.greedy(), prompt, Optional.empty(), Optional.empty());
            setup.scheduler.submit(new Job(
                    "bench", prompt, new int[0], Optional.of(TOKENS), sampler, Set.of(), output, Optional.empty()));
        }
        done.await();
        long start = outputs.stream()
                .mapToLong(output -> output.times.getFirst())
                .max()
                .orElseThrow();
        long end = outputs.stream()
                .mapToLong(output -> output.times.getLast())
                .min()
                .orElseThrow();
        long tokens = outputs.stream()
                .flatMap(output -> output.times.stream())
                .filter(time -> time > start && time <= end)
                .count();
        return tokens * 1e9 / (end - start);
    }
}
