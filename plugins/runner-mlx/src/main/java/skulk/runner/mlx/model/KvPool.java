package skulk.runner.mlx.model;

import java.util.List;

/**
 * The paged cache of keys and values of one decoder: blocks of {@link #blockSize()} positions, reference counted, so
 * that sequences and a prefix cache can share them.
 *
 * <p>All but the counters is for the driver thread. Memory is taken from the system when a block is first used and
 * never exceeds {@link #limitBytes()}.
 */
public interface KvPool {

    /** Positions per block. */
    int blockSize();

    /** Most bytes that blocks may take. */
    long limitBytes();

    /** Bytes that live blocks take now, exact. Any thread. */
    long usedBytes();

    /** Blocks that fit within the limit, if each were held whole. */
    int totalBlocks();

    /**
     * How long a sequence can become that has the cache for itself: more than its whole blocks where layers keep a window
     * only. Shorter than the window plus {@code step} it is exact to the block.
     *
     * @param step most positions that one step adds
     */
    long longestSequence(int step);

    /** Blocks that can be taken now. Any thread. */
    int freeBlocks();

    /** Blocks that were in use before and hold nothing now: taking them takes no memory from the system. */
    int emptyBlocks();

    /** Opens an empty sequence. */
    KvSequence newSequence();

    /**
     * Opens a sequence that starts with shared blocks; each gains a reference, none is copied.
     *
     * @param prefix full blocks in order, as {@link KvSequence#fullBlocks()} gave them
     * @throws IllegalArgumentException if {@link #canShare} is false
     */
    KvSequence newSequence(List<KvBlock> prefix);

    /**
     * Whether a sequence can start with these blocks: false where a sliding-window layer has dropped a block that the
     * next position would look at, or a block is closed.
     */
    boolean canShare(List<KvBlock> prefix);
}
