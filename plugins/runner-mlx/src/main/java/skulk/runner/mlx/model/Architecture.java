package skulk.runner.mlx.model;

import java.util.List;
import java.util.Optional;

/**
 * A model family, loaded: which operations a step runs. One implementation per {@code model_type}, made by
 * {@link Architectures}.
 */
interface Architecture {

    /** Sizes that the decoder needs. */
    Shape shape();

    /** Attention of this rank's layers in order; decides the cache's layout. */
    List<AttentionSpec> attention();

    /** What sequences carry on beside keys and values, this rank's layers; the same presence on all ranks. */
    default Optional<StateSpec> state() {
        return Optional.empty();
    }

    /** Hidden rows of the step's tokens. Only where layer 0 is held. */
    Rows embed(Ops ops);

    /**
     * Runs this rank's layers, changing {@code hidden} in place.
     *
     * @return the rows that go on: all, or only those whose logits are asked for ({@link Ops#wanted}) if the model's last
     *     layer is among the layers and the others' outputs were not computed
     */
    Rows layers(Ops ops, Rows hidden);

    /** Turns the last layer's hidden rows into logits. Only where layer 0 is held; complete on rank 0. */
    Rows logits(Ops ops, Rows hidden);

    /** The last layer's hidden rows after the final norm. Only where layer 0 is held. */
    Rows normed(Ops ops, Rows hidden);

    /**
     * State that recurrent layers replace with every token.
     *
     * @param layers number of this rank's layers that have one; may be 0
     * @param floats size of all of it
     */
    record StateSpec(int layers, int floats) {
        long bytes() {
            return (floats * 4L + 63) / 64 * 64;
        }
    }

    /**
     * @param modelType {@code model_type}
     * @param vocab tokens
     * @param hidden width of the hidden state
     * @param layers layers of the whole model
     * @param maxContext largest length of a sequence
     */
    record Shape(String modelType, int vocab, int hidden, int layers, int maxContext) {}
}
