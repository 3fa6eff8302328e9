package skulk.runner.mlx.model;

import java.util.Arrays;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.SynchronousQueue;

/** Ranks of one group as threads of this process. */
final class LocalRanks {
    private final int ranks;
    private final float[][] shared;
    private final CyclicBarrier barrier;
    private final SynchronousQueue<float[]>[][] wires;

    @SuppressWarnings({"unchecked", "rawtypes"})
    LocalRanks(int ranks) {
        this.ranks = ranks;
        this.shared = new float[ranks][];
        this.barrier = new CyclicBarrier(ranks);
        this.wires = new SynchronousQueue[ranks][ranks];
        for (SynchronousQueue[] row : wires) {
            Arrays.setAll(row, i -> new SynchronousQueue<>());
        }
    }

    Collectives rank(int rank) {
        return new Rank(rank);
    }

    private final class Rank implements Collectives {
        private final int rank;

        Rank(int rank) {
            this.rank = rank;
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
            shared[rank] = Arrays.copyOfRange(values, offset, offset + length);
            await();
            Arrays.fill(values, offset, offset + length, 0);
            for (float[] part : shared) {
                for (int i = 0; i < length; i++) {
                    values[offset + i] += part[i];
                }
            }
            await();
        }

        private void await() {
            try {
                barrier.await();
            } catch (InterruptedException | BrokenBarrierException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void send(int to, float[] values, int offset, int length) {
            try {
                wires[rank][to].put(Arrays.copyOfRange(values, offset, offset + length));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void receive(int from, float[] values, int offset, int length) {
            try {
                float[] got = wires[from][rank].take();
                if (got.length != length) {
                    throw new IllegalStateException("got " + got.length + " values, expected " + length);
                }
                System.arraycopy(got, 0, values, offset, length);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
