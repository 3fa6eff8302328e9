package skulk.runner.mlx.model;

/**
 * What the ranks of one decoder say to each other during a step. All ranks make the same calls in the same order; the
 * driver thread of each rank blocks in them. A failed link throws {@link java.io.UncheckedIOException}, which ends the
 * step and the decoder.
 */
public interface Collectives {

    /** This rank, from 0. */
    int rank();

    /** Number of ranks. */
    int ranks();

    /** Replaces {@code length} values from {@code offset} on by their sum over all ranks, added in the order of ranks. */
    void allReduce(float[] values, int offset, int length);

    /** Sends values to another rank; returns when the array may be reused. */
    void send(int rank, float[] values, int offset, int length);

    /** Receives exactly {@code length} values that {@code rank} sends. */
    void receive(int rank, float[] values, int offset, int length);

    /** The only rank of its group. */
    static Collectives alone() {
        return new Alone();
    }
}
