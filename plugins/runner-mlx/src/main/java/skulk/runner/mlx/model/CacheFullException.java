package skulk.runner.mlx.model;

/** The cache has no room for a step; the caller frees blocks (or waits, or evicts) and tries again. */
public final class CacheFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CacheFullException(int wanted, int free) {
        super("the step needs " + wanted + " cache blocks, " + free + " are free");
    }
}
