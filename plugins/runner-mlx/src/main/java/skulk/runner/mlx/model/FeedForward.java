package skulk.runner.mlx.model;

/** The feed-forward part of a layer. */
interface FeedForward {

    /** New rows from normed rows; summed over the ranks. */
    Rows run(Ops ops, Rows x);
}
