package skulk.runner.mlx.model;

import java.util.List;

/** The past of one sequence. Driver thread only. */
public interface KvSequence extends AutoCloseable {

    /** Positions held. */
    int length();

    /** New blocks that appending {@code tokens} positions would take from the pool. */
    int blocksFor(int tokens);

    /**
     * The full blocks from position 0 on. The list is a snapshot; blocks stay valid while the sequence or another
     * holder has a reference.
     */
    List<KvBlock> fullBlocks();

    /**
     * Whether {@link #truncate} may go back to {@code length}: always for models without sliding windows, otherwise as
     * long as the windows behind {@code length} are still held (at least 64 positions back).
     */
    boolean canTruncate(int length);

    /**
     * Drops the positions from {@code length} on, for example rejected drafts. A block that is shared and would be
     * written again is copied first.
     *
     * @throws IllegalArgumentException if longer than now or {@link #canTruncate} is false
     */
    void truncate(int length);

    /** Gives its references back. Idempotent; the sequence cannot be used afterwards. */
    @Override
    void close();
}
