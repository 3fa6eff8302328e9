package skulk.runner.mlx.shard;

import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.util.Arrays;
import java.util.List;

/**
 * What a message between two rank processes of this machine costs, as ranks send them.
 *
 * @param hopMicros median of half a round trip of {@link #VALUES} floats
 * @param allReduceMicros median of summing as many over the two
 */
public record LinkSpeed(double hopMicros, double allReduceMicros) {
    /** The hidden state of a model of a billion parameters. */
    public static final int VALUES = 2048;

    private static final int ROUNDS = 2000;
    private static final int WARM_UP = 2 * ROUNDS;

    /** Starts a second process for it; takes a second or two. */
    public static LinkSpeed measure() throws IOException, InterruptedException {
        try (ServerSocketChannel server = SocketLinks.listen()) {
            Process peer = ChildJvm.start(LinkSpeed.class, List.of(Integer.toString(SocketLinks.port(server))));
            try (SocketLinks links = SocketLinks.lead(server, 2, new byte[SocketLinks.KEY])) {
                LinkCollectives collectives = new LinkCollectives(links, 0, 2);
                double sum = median(collectives, LinkSpeed::sum);
                double roundTrip = median(collectives, LinkSpeed::ask);
                return new LinkSpeed(roundTrip / 2, sum);
            } finally {
                peer.destroy();
                peer.waitFor();
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments[0]);
        try (SocketLinks links = SocketLinks.join(1, 2, port, new byte[SocketLinks.KEY])) {
            LinkCollectives collectives = new LinkCollectives(links, 1, 2);
            median(collectives, LinkSpeed::sum);
            median(collectives, LinkSpeed::answer);
        }
    }

    private static double median(LinkCollectives collectives, Exchange exchange) {
        float[] values = new float[VALUES];
        double[] micros = new double[ROUNDS];
        for (int i = 0; i < WARM_UP + ROUNDS; i++) {
            long start = System.nanoTime();
            exchange.run(collectives, values);
            micros[i % ROUNDS] = (System.nanoTime() - start) / 1e3;
        }
        Arrays.sort(micros);
        return micros[ROUNDS / 2];
    }

    private static void sum(LinkCollectives collectives, float[] values) {
        collectives.allReduce(values, 0, VALUES);
    }

    private static void ask(LinkCollectives collectives, float[] values) {
        collectives.send(1, values, 0, VALUES);
        collectives.receive(1, values, 0, VALUES);
    }

    private static void answer(LinkCollectives collectives, float[] values) {
        collectives.receive(0, values, 0, VALUES);
        collectives.send(0, values, 0, VALUES);
    }

    @FunctionalInterface
    private interface Exchange {
        void run(LinkCollectives collectives, float[] values);
    }
}
