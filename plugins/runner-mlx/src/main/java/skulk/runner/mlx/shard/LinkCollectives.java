package skulk.runner.mlx.shard;

import java.util.ArrayList;
import java.util.List;
import skulk.api.RankLinks;
import skulk.runner.mlx.model.Collectives;

/**
 * Collectives over the links of an instance.
 *
 * <p>A sum is exchanged directly where it is short or there are two ranks: everybody sends all to everybody, one latency. With more ranks a long one is split:
 * each rank sums one part and sends it to all, two latencies for {@code 2 (n - 1) / n} of the data. Either way parts are added in the order of ranks, so that
 * all ranks hold the same bits. One thread at a time; a failed link throws {@link java.io.UncheckedIOException} naming the pair.
 */
final class LinkCollectives implements Collectives, AutoCloseable {
    /** Values from which on a sum over more than two ranks is split: about where bytes cost more than a second latency. */
    static final int LONG_SUM = 16 << 10;

    private final int rank;
    private final int ranks;
    private final List<Wire> wires = new ArrayList<>();
    private float[] part = new float[0];
    private float[] sum = new float[0];

    LinkCollectives(RankLinks links, int rank, int ranks) {
        this.rank = rank;
        this.ranks = ranks;
        for (int peer = 0; peer < ranks; peer++) {
            wires.add(new Wire(links, peer)); // that to itself is never used
        }
    }

    /** Both directions between this rank and another. */
    Wire wire(int peer) {
        return wires.get(peer);
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int ranks() {
        return ranks;
    }

    @Override
    public void allReduce(float[] values, int offset, int length) {
        if (ranks == 1 || length == 0) {
            return;
        }
        if (part.length < length) {
            part = new float[length];
            sum = new float[length];
        }
        if (ranks == 2 || length < LONG_SUM) {
            direct(values, offset, length);
        } else {
            split(values, offset, length);
        }
    }

    private void direct(float[] values, int offset, int length) {
        for (int peer = 0; peer < ranks; peer++) {
            if (peer != rank) {
                wires.get(peer).send(values, offset, length);
            }
        }
        sum(values, offset, length);
    }

    /** Adds what the others send of a range to one's own, in the order of ranks. */
    private void sum(float[] values, int offset, int length) {
        for (int peer = 0; peer < ranks; peer++) {
            if (peer == rank) {
                add(values, offset, length, peer == 0);
            } else {
                wires.get(peer).receive(part, 0, length);
                add(part, 0, length, peer == 0);
            }
        }
        System.arraycopy(sum, 0, values, offset, length);
    }

    private void add(float[] from, int offset, int length, boolean first) {
        if (first) {
            System.arraycopy(from, offset, sum, 0, length);
            return;
        }
        for (int i = 0; i < length; i++) {
            sum[i] += from[offset + i];
        }
    }

    private void split(float[] values, int offset, int length) {
        for (int peer = 0; peer < ranks; peer++) {
            if (peer != rank) {
                wires.get(peer).send(values, offset + start(peer, length), size(peer, length));
            }
        }
        int mine = offset + start(rank, length);
        sum(values, mine, size(rank, length));
        for (int peer = 0; peer < ranks; peer++) {
            if (peer != rank) {
                wires.get(peer).send(values, mine, size(rank, length));
            }
        }
        for (int peer = 0; peer < ranks; peer++) {
            if (peer != rank) {
                wires.get(peer).receive(values, offset + start(peer, length), size(peer, length));
            }
        }
    }

    private int start(int peer, int length) {
        return (int) ((long) length * peer / ranks);
    }

    private int size(int peer, int length) {
        return start(peer + 1, length) - start(peer, length);
    }

    @Override
    public void send(int to, float[] values, int offset, int length) {
        wires.get(to).send(values, offset, length);
    }

    @Override
    public void receive(int from, float[] values, int offset, int length) {
        wires.get(from).receive(values, offset, length);
    }

    @Override
    public void close() {
        wires.forEach(Wire::close);
    }
}
