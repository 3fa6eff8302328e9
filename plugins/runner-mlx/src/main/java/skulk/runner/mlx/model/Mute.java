package skulk.runner.mlx.model;

import java.util.Arrays;

/**
 * A rank's place in its group without the others: what it says goes nowhere, what it hears is whatever the buffer held. For compiling a rank's own part of a step
 * before the group meets; what it computes is never used.
 */
record Mute(int rank, int ranks) implements Collectives {
    @Override
    public void allReduce(float[] values, int offset, int length) {
        // the sum of one's own part
    }

    @Override
    public void send(int to, float[] values, int offset, int length) {
        // nobody listens
    }

    @Override
    public void receive(int from, float[] values, int offset, int length) {
        Arrays.fill(values, offset, offset + length, 0);
    }
}
