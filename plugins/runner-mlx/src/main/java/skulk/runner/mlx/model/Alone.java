package skulk.runner.mlx.model;

/** Collectives of a decoder that is not split. */
final class Alone implements Collectives {
    @Override
    public int rank() {
        return 0;
    }

    @Override
    public int ranks() {
        return 1;
    }

    @Override
    public void allReduce(float[] values, int offset, int length) {
        // the sum over one rank is what is there
    }

    @Override
    public void send(int rank, float[] values, int offset, int length) {
        throw new IllegalStateException("no rank " + rank + " to send to");
    }

    @Override
    public void receive(int rank, float[] values, int offset, int length) {
        throw new IllegalStateException("no rank " + rank + " to receive from");
    }
}
