package skulk.runner.mlx.embed;

import java.util.List;

/** The computing part of an embedding model. One thread. */
interface TextEncoder extends AutoCloseable {

    /** Length of a vector. */
    int width();

    /**
     * Pooled vectors of texts, not normalised. Texts do not see one another.
     *
     * @param texts at least one, each of at least one token and not more than the model's limit
     */
    List<float[]> encode(List<int[]> texts);

    @Override
    void close();
}
