package skulk.runner.mlx.model;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import skulk.runner.mlx.kernel.AttentionKernels;
import skulk.runner.mlx.kernel.NativeMemory;

/** The cache: per group of layers, slots of equal size in one lazily touched mapping, under one budget of bytes. */
final class PagedPool implements KvPool {
    /** How far behind a window positions are kept, so that rejected drafts can be taken back. */
    static final int SLACK = 64;

    /** States kept for later sequences take at most this part of the cache. */
    private static final int SNAPSHOT_PART = 4;

    private static final int BLOCK = AttentionKernels.BLOCK;
    /** Smaller slots are not worth a system call to give back. */
    private static final long DISCARD_BYTES = 64 << 10;

    private final KvLayout layout;
    private final NativeMemory memory;
    private final CacheAgreement agreement;
    private final long limitBytes;
    private final Slots[] slots;
    private final int[] usedSlots;
    private final Optional<Slots> states;
    private int usedStates;
    private int snapshots;
    private volatile long usedBytes;
    private volatile int freeBlocks;

    /** @param limitBytes budget; at least one block */
    PagedPool(KvLayout layout, NativeMemory memory, long limitBytes) {
        this(layout, memory, CacheAgreement.alone(layout, limitBytes));
    }

    /** @param agreement with the other ranks; the layout has a group for each of its windows */
    PagedPool(KvLayout layout, NativeMemory memory, CacheAgreement agreement) {
        this.layout = layout;
        this.memory = memory;
        this.agreement = agreement;
        this.limitBytes = agreement.blocks() * layout.blockBytes();
        this.freeBlocks = agreement.blocks();
        this.slots = new Slots[layout.groups().size()];
        this.usedSlots = new int[slots.length];
        for (int g = 0; g < slots.length; g++) {
            slots[g] = slots(layout.groups().get(g).slotBytes());
        }
        this.states = layout.state().map(s -> stateSlots(s.bytes()));
        if (totalBlocks() < 1) {
            throw new OutOfMemoryError("a state of " + layout.stateBytes() + " bytes leaves no room for a block within "
                    + limitBytes + " bytes");
        }
    }

    private Slots stateSlots(long bytes) {
        int count = agreement.blocks() / Math.max(1, agreement.stateBlocks());
        return bytes == 0
                ? new Slots(MemorySegment.NULL, 0, Integer.MAX_VALUE)
                : new Slots(memory.reserve(Math.max(1, count) * bytes), bytes, count);
    }

    private Slots slots(long bytes) {
        if (bytes == 0) {
            return new Slots(MemorySegment.NULL, 0, Integer.MAX_VALUE);
        }
        int count = Math.toIntExact(Math.min(limitBytes / bytes, Integer.MAX_VALUE));
        return new Slots(memory.reserve(count * bytes), bytes, count);
    }

    KvLayout layout() {
        return layout;
    }

    /** Memory of a group; slot {@code s} starts at {@code s * slotBytes}. */
    MemorySegment memory(int group) {
        return slots[group].memory;
    }

    @Override
    public int blockSize() {
        return BLOCK;
    }

    @Override
    public long limitBytes() {
        return limitBytes;
    }

    @Override
    public long usedBytes() {
        return usedBytes;
    }

    /** Beside the state of one sequence, where there are states. */
    @Override
    public int totalBlocks() {
        return agreement.blocks() - (recurrent() ? stateBlocks() : 0);
    }

    @Override
    public long longestSequence(int step) {
        return Math.max(totalBlocks(), agreement.longest(step + SLACK)) * (long) BLOCK;
    }

    @Override
    public int freeBlocks() {
        return freeBlocks;
    }

    @Override
    public int emptyBlocks() {
        int empty = Integer.MAX_VALUE;
        for (Slots group : slots) {
            empty = group.bytes == 0 ? empty : Math.min(empty, group.free.size());
        }
        return empty;
    }

    @Override
    public PagedSequence newSequence() {
        return new PagedSequence(this);
    }

    @Override
    public PagedSequence newSequence(List<KvBlock> prefix) {
        if (!canShare(prefix)) {
            throw new IllegalArgumentException("the prefix is not held whole any more");
        }
        PagedSequence sequence = new PagedSequence(this);
        sequence.adopt(prefix.stream().map(PagedBlock.class::cast).toList());
        return sequence;
    }

    @Override
    public boolean canShare(List<KvBlock> prefix) {
        int length = prefix.size() * BLOCK;
        for (int g = 0; g < slots.length; g++) {
            for (int i = firstVisible(g, length); i < prefix.size(); i++) {
                if (!(prefix.get(i) instanceof PagedBlock block) || block.slot(g) < 0) {
                    return false;
                }
            }
        }
        if (recurrent() && !prefix.isEmpty() && !((PagedBlock) prefix.getLast()).hasSnapshot()) {
            return false;
        }
        return prefix.stream().allMatch(b -> b.references() > 0);
    }

    /** Whether sequences have a state beside their blocks. */
    boolean recurrent() {
        return states.isPresent();
    }

    /** How many blocks a state counts as. */
    int stateBlocks() {
        return agreement.stateBlocks();
    }

    /** The memory of a state. */
    MemorySegment state(int slot) {
        Slots s = states.orElseThrow();
        return s.memory.asSlice(slot * s.bytes, s.bytes);
    }

    /** Takes a zeroed state; the caller has checked {@link #freeBlocks}. */
    int takeState() {
        usedStates++;
        usedBytes += layout.stateBytes();
        freeBlocks = agreement.free(usedSlots, usedStates);
        return states.orElseThrow().take();
    }

    void freeState(int slot) {
        usedStates--;
        usedBytes -= layout.stateBytes();
        freeBlocks = agreement.free(usedSlots, usedStates);
        states.orElseThrow().free.add(slot);
    }

    /** Takes a state to keep with a block, if such do not take more than their part of the cache. */
    OptionalInt takeSnapshot() {
        int cost = stateBlocks();
        if ((snapshots + 1L) * cost > totalBlocks() / SNAPSHOT_PART || freeBlocks < cost) {
            return OptionalInt.empty();
        }
        snapshots++;
        return OptionalInt.of(takeState());
    }

    void freeSnapshot(int slot) {
        snapshots--;
        freeState(slot);
    }

    /** The first block that a query at {@code position} looks at in a group. */
    int firstVisible(int group, int position) {
        int window = layout.groups().get(group).window();
        return window == 0 ? 0 : Math.max(0, position - window + 1) / BLOCK;
    }

    /** Takes a block of all groups; the caller has checked {@link #freeBlocks}. */
    PagedBlock take() {
        if (freeBlocks < 1) {
            throw new CacheFullException(1, 0);
        }
        int[] taken = new int[slots.length];
        for (int g = 0; g < slots.length; g++) {
            taken[g] = slots[g].take();
            usedSlots[g]++;
        }
        usedBytes += layout.blockBytes();
        freeBlocks = agreement.free(usedSlots, usedStates);
        return new PagedBlock(this, taken);
    }

    void free(int group, int slot) {
        slots[group].free.add(slot);
        long bytes = slots[group].bytes;
        usedBytes -= bytes;
        usedSlots[group]--;
        freeBlocks = agreement.free(usedSlots, usedStates);
        if (slots.length > 1 && bytes >= DISCARD_BYTES) {
            memory.discard(slots[group].memory.asSlice(slot * bytes, bytes));
        }
    }

    void copy(PagedBlock from, PagedBlock to) {
        for (int g = 0; g < slots.length; g++) {
            if (from.slot(g) >= 0) {
                long bytes = slots[g].bytes;
                MemorySegment.copy(slots[g].memory, from.slot(g) * bytes, slots[g].memory, to.slot(g) * bytes, bytes);
            }
        }
    }

    private static final class Slots {
        private final MemorySegment memory;
        private final long bytes;
        private final int count;
        private final List<Integer> free = new ArrayList<>();
        private int used;

        Slots(MemorySegment memory, long bytes, int count) {
            this.memory = memory;
            this.bytes = bytes;
            this.count = count;
        }

        /** A zeroed slot: old values could hold infinities, which a weight of zero would turn into NaN. */
        int take() {
            if (free.isEmpty()) {
                if (used == count) {
                    throw new IllegalStateException("budget and slots disagree");
                }
                return used++;
            }
            int slot = free.removeLast();
            memory.asSlice(slot * bytes, bytes).fill((byte) 0);
            return slot;
        }
    }
}
