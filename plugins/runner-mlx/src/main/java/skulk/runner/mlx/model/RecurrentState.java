package skulk.runner.mlx.model;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalInt;
import skulk.runner.mlx.kernel.AttentionKernels;

/**
 * What the recurrent layers of one sequence carry on. The state itself covers all positions but the last
 * {@link #pending()}: those whose logits verify drafts may be taken back, so only what they feed into the state is kept,
 * and the next step begins with them again. At the last block boundary that a prompt chunk passes, the state is copied to
 * the block, so that later sequences can start there. Driver thread only, but for reading during a dispatch.
 */
final class RecurrentState {
    private static final int BLOCK = AttentionKernels.BLOCK;

    private final PagedPool pool;
    private final float[][] inputs;
    private int slot = -1;
    private int pending;
    private int nextPending;
    private int snapshotRow = -1;
    private MemorySegment snapshot = MemorySegment.NULL;

    RecurrentState(PagedPool pool) {
        this.pool = pool;
        this.inputs = new float[pool.layout().state().orElseThrow().layers()][0];
    }

    /** Blocks' worth of memory that the next step takes for it. */
    int blocksNeeded() {
        return slot < 0 ? pool.stateBlocks() : 0;
    }

    /** Before a step: takes memory, filled from the last of shared blocks if the sequence starts with such. */
    void open(List<PagedBlock> blocks, int length) {
        if (slot >= 0) {
            return;
        }
        slot = pool.takeState();
        if (length > 0) {
            pool.state(slot).copyFrom(pool.state(blocks.get(length / BLOCK - 1).snapshot()));
        }
    }

    /**
     * Begins a step.
     *
     * @param blocks of the grown sequence
     * @param length after the step
     */
    void begin(List<PagedBlock> blocks, int length, int tokens, int logitRows) {
        nextPending = logitRows > 1 ? logitRows : 0;
        int covered = length - tokens - pending;
        int boundary = (length - nextPending) / BLOCK * BLOCK;
        snapshotRow = -1;
        if (tokens > 1
                && boundary > covered
                && !blocks.get(boundary / BLOCK - 1).hasSnapshot()) {
            OptionalInt kept = pool.takeSnapshot();
            if (kept.isPresent()) {
                blocks.get(boundary / BLOCK - 1).keep(kept.getAsInt());
                snapshot = pool.state(kept.getAsInt());
                snapshotRow = boundary - covered;
            }
        }
    }

    /** Ends a step. */
    void end() {
        pending = nextPending;
        snapshotRow = -1;
    }

    /** The state; the part of a layer is where its architecture put it. */
    MemorySegment memory() {
        return pool.state(slot);
    }

    /** Positions before this step that the state does not cover yet. */
    int pending() {
        return pending;
    }

    /** Positions that it will not cover after this step. */
    int nextPending() {
        return nextPending;
    }

    /** After how many positions beyond those covered the state is to be copied, counted from the first; -1 for none. */
    int snapshotRow() {
        return snapshotRow;
    }

    /** Where to. */
    MemorySegment snapshot() {
        return snapshot;
    }

    /** What the pending positions feed into a layer, one row after the other. */
    float[] inputs(int layer) {
        return inputs[layer];
    }

    /** Replaces that by what the positions pending after this step feed. */
    void setInputs(int layer, float[] rows) {
        inputs[layer] = rows;
    }

    boolean canTruncate(int length, int to) {
        return to >= length - pending;
    }

    void truncate(int dropped, int to) {
        if (to == 0) {
            close();
            pending = 0;
        } else {
            pending -= dropped;
        }
    }

    void close() {
        if (slot >= 0) {
            pool.freeState(slot);
            slot = -1;
        }
    }
}
