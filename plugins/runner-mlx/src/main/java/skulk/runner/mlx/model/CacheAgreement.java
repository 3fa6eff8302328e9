package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import skulk.runner.mlx.kernel.AttentionKernels;

/**
 * What the caches of all ranks hold, told once at load. Every rank runs the same steps on the same sequences, so each can count what the others use: a step that
 * fits here fits everywhere, and one that is refused here is refused everywhere.
 *
 * @param windows windows of all layers of the model, in ascending order
 * @param budgets of the ranks
 */
record CacheAgreement(List<Integer> windows, List<Budget> budgets) {
    /** Different windows that a model may have. */
    private static final int MOST_WINDOWS = 7;

    /** Integers up to here are exact as floats. */
    private static final int MOST_BLOCKS = 1 << 24;

    /** Slot sizes are multiples of this. */
    private static final int UNIT = 64;

    /**
     * The cache of one rank.
     *
     * @param blocks whole blocks that fit
     * @param slotBytes bytes of a block by window, 0 where the rank has no layer of that window
     * @param stateBytes bytes that a sequence takes beside its blocks
     */
    record Budget(int blocks, long[] slotBytes, long stateBytes) {
        /** Whole blocks that fit beside the slots and states in use. */
        int free(int[] usedSlots, int usedStates) {
            long used = usedStates * stateBytes;
            for (int g = 0; g < slotBytes.length; g++) {
                used += usedSlots[g] * slotBytes[g];
            }
            return (int) Math.floorDiv(blocks * blockBytes() - used, blockBytes());
        }

        /** A rank without keys and values counts in the smallest unit. */
        private long blockBytes() {
            return Math.max(UNIT, LongStream.of(slotBytes).sum());
        }

        private long longest(List<Integer> windows, int more) {
            long left = blocks * blockBytes() - stateBytes;
            long perBlock = 0;
            for (int g = 0; g < slotBytes.length; g++) {
                long window = windows.get(g);
                // the window may begin and end within a block, and freeing is counted in whole blocks
                left -= window == 0 ? 0 : slotBytes[g] * ((window + more) / AttentionKernels.BLOCK + 3);
                perBlock += window == 0 ? slotBytes[g] : 0;
            }
            left -= blockBytes();
            return left <= 0 ? 0 : perBlock == 0 ? Integer.MAX_VALUE : left / perBlock;
        }

        private int stateBlocks() {
            return (int) ((stateBytes + blockBytes() - 1) / blockBytes());
        }
    }

    /** The agreement of a rank with itself. */
    static CacheAgreement alone(KvLayout layout, long bytes) {
        return new CacheAgreement(
                layout.groups().stream().map(KvLayout.Group::window).toList(), List.of(budget(layout, bytes)));
    }

    private static Budget budget(KvLayout layout, long bytes) {
        long[] slots =
                layout.groups().stream().mapToLong(KvLayout.Group::slotBytes).toArray();
        return new Budget(
                (int) Math.min(MOST_BLOCKS, bytes / Math.max(UNIT, layout.blockBytes())), slots, layout.stateBytes());
    }

    /** Exchanges layouts and sizes; all ranks call it at the same point. */
    static CacheAgreement among(Collectives links, KvLayout own, long bytes) {
        if (links.ranks() == 1) {
            return alone(own, bytes);
        }
        if (own.groups().size() > MOST_WINDOWS) {
            throw new IllegalArgumentException(own.groups().size() + " different windows, at most " + MOST_WINDOWS);
        }
        int width = 2 + 2 * MOST_WINDOWS;
        float[] told = new float[links.ranks() * width];
        int at = links.rank() * width;
        told[at + width - 1] = (float) own.stateBytes() / UNIT;
        told[at++] = budget(own, bytes).blocks;
        for (KvLayout.Group group : own.groups()) {
            told[at++] = group.window();
            told[at++] = (float) group.slotBytes() / UNIT;
        }
        links.allReduce(told, 0, told.length); // all others have zeros in this rank's part
        List<Integer> windows = IntStream.range(0, links.ranks())
                .flatMap(rank -> windows(told, rank * width).stream().mapToInt(Integer::intValue))
                .sorted()
                .distinct()
                .boxed()
                .toList();
        List<Budget> budgets = new ArrayList<>();
        for (int rank = 0; rank < links.ranks(); rank++) {
            long stateBytes = (long) told[(rank + 1) * width - 1] * UNIT;
            budgets.add(read(told, rank * width, windows, stateBytes));
        }
        return new CacheAgreement(windows, budgets);
    }

    private static List<Integer> windows(float[] told, int at) {
        List<Integer> windows = new ArrayList<>();
        for (int g = 0; g < MOST_WINDOWS && told[at + 2 + 2 * g] > 0; g++) {
            windows.add((int) told[at + 1 + 2 * g]);
        }
        return windows;
    }

    private static Budget read(float[] told, int at, List<Integer> windows, long stateBytes) {
        List<Integer> own = windows(told, at);
        long[] slots = new long[windows.size()];
        for (int g = 0; g < own.size(); g++) {
            slots[windows.indexOf(own.get(g))] = (long) told[at + 2 + 2 * g] * UNIT;
        }
        return new Budget((int) told[at], slots, stateBytes);
    }

    /**
     * Blocks of one sequence that fit on every rank where windowed layers hold their window and some more.
     *
     * @param more positions beyond the window
     */
    long longest(int more) {
        return budgets.stream()
                .mapToLong(budget -> budget.longest(windows, more))
                .min()
                .orElseThrow();
    }

    /** Whole blocks that fit on every rank. */
    int blocks() {
        return budgets.stream().mapToInt(Budget::blocks).min().orElseThrow();
    }

    /** How many blocks a state counts as, on the rank where it counts most. */
    int stateBlocks() {
        return budgets.stream().mapToInt(Budget::stateBlocks).max().orElseThrow();
    }

    /** Whole blocks that fit on every rank beside the slots and states in use. */
    int free(int[] usedSlots, int usedStates) {
        int free = Integer.MAX_VALUE;
        for (Budget budget : budgets) {
            free = Math.min(free, budget.free(usedSlots, usedStates));
        }
        return free;
    }
}
