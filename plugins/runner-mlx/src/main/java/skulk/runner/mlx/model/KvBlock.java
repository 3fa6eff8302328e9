package skulk.runner.mlx.model;

/**
 * {@link KvPool#blockSize()} positions of cached keys and values of all layers. A block that is full never changes.
 * Driver thread only. Identity is the object: two handles are the same block only if they are the same object.
 */
public interface KvBlock {

    /** Adds a reference, for a holder such as a prefix cache. */
    void retain();

    /** Drops a reference; the memory is free when the last is gone. */
    void release();

    /**
     * Lets go of the layers with a sliding window that no sequence looks at any more and only the caller's {@link #retain}
     * holds. To be called by the only one that retains blocks.
     *
     * @return whether that freed memory
     */
    boolean trim();

    /** Number of holders: sequences plus {@link #retain} calls. 0 once closed. */
    int references();

    /** Bytes it takes now. */
    long bytes();
}
