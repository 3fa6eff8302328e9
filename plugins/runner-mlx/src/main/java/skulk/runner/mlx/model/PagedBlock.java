package skulk.runner.mlx.model;

/**
 * A block and its slots, one per group. Each group counts its own holders, because a sequence lets go of a windowed
 * group earlier than of the others. A slot that is gone never returns, so all {@link #retain} calls that are still open
 * hold the same groups.
 */
final class PagedBlock implements KvBlock {
    private final PagedPool pool;
    private final int[] slots;
    private final int[] claims;
    private int references;
    private int snapshot = -1;

    PagedBlock(PagedPool pool, int[] slots) {
        this.pool = pool;
        this.slots = slots;
        this.claims = new int[slots.length];
    }

    /** The slot in a group, negative if dropped. */
    int slot(int group) {
        return slots[group];
    }

    void claim(int group) {
        claims[group]++;
    }

    void drop(int group) {
        if (--claims[group] == 0) {
            pool.free(group, slots[group]);
            slots[group] = -1;
        }
    }

    /** Whether the state at the end of this block is kept with it. */
    boolean hasSnapshot() {
        return snapshot >= 0;
    }

    int snapshot() {
        return snapshot;
    }

    void keep(int stateSlot) {
        snapshot = stateSlot;
    }

    private void unreferenced() {
        if (references == 0 && snapshot >= 0) {
            pool.freeSnapshot(snapshot);
            snapshot = -1;
        }
    }

    void addReference() {
        references++;
    }

    void dropReference() {
        references--;
        unreferenced();
    }

    @Override
    public void retain() {
        if (references == 0) {
            throw new IllegalStateException("the block is closed");
        }
        references++;
        for (int g = 0; g < slots.length; g++) {
            if (slots[g] >= 0) {
                claims[g]++;
            }
        }
    }

    @Override
    public void release() {
        if (references == 0) {
            throw new IllegalStateException("the block is closed");
        }
        references--;
        for (int g = 0; g < slots.length; g++) {
            if (slots[g] >= 0) {
                drop(g);
            }
        }
        unreferenced();
    }

    @Override
    public boolean trim() {
        boolean freed = false;
        for (int g = 0; g < slots.length; g++) {
            if (pool.layout().groups().get(g).window() > 0 && slots[g] >= 0 && claims[g] == 1 && references > 1) {
                drop(g);
                freed = true;
            }
        }
        return freed;
    }

    @Override
    public int references() {
        return references;
    }

    @Override
    public long bytes() {
        long bytes = snapshot >= 0 ? pool.layout().stateBytes() : 0;
        for (int g = 0; g < slots.length; g++) {
            if (slots[g] >= 0) {
                bytes += pool.layout().groups().get(g).slotBytes();
            }
        }
        return bytes;
    }
}
