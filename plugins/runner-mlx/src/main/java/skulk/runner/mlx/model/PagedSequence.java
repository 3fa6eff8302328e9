package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import skulk.runner.mlx.kernel.AttentionKernels;

/** A sequence: its blocks in order, and per group from which block on it still holds them. */
final class PagedSequence implements KvSequence {
    private static final int BLOCK = AttentionKernels.BLOCK;

    private final PagedPool pool;
    private final List<PagedBlock> blocks = new ArrayList<>();
    private final int[] firstHeld;
    private int length;
    private boolean closed;

    PagedSequence(PagedPool pool) {
        this.pool = pool;
        this.firstHeld = new int[pool.layout().groups().size()];
    }

    PagedPool pool() {
        return pool;
    }

    boolean closed() {
        return closed;
    }

    void adopt(List<PagedBlock> prefix) {
        length = prefix.size() * BLOCK;
        blocks.addAll(prefix);
        prefix.forEach(PagedBlock::addReference);
        for (int g = 0; g < firstHeld.length; g++) {
            firstHeld[g] = pool.firstVisible(g, length);
            for (int i = firstHeld[g]; i < blocks.size(); i++) {
                blocks.get(i).claim(g);
            }
        }
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int blocksFor(int tokens) {
        int wanted = (length + tokens + BLOCK - 1) / BLOCK - blocks.size();
        return wanted + (tokens > 0 && mustCopy() ? 1 : 0);
    }

    private boolean mustCopy() {
        return length % BLOCK != 0 && blocks.getLast().references() > 1;
    }

    /** Makes room for {@code tokens} more positions and counts them in; the pool has the room. */
    void append(int tokens) {
        if (mustCopy()) {
            PagedBlock copy = pool.take();
            pool.copy(blocks.getLast(), copy);
            letGo(blocks.size() - 1);
            hold(copy);
        }
        length += tokens;
        while (blocks.size() * BLOCK < length) {
            hold(pool.take());
        }
    }

    private void hold(PagedBlock block) {
        blocks.add(block);
        block.addReference();
        for (int g = 0; g < firstHeld.length; g++) {
            block.claim(g);
        }
    }

    private void letGo(int index) {
        PagedBlock block = blocks.remove(index);
        for (int g = 0; g < firstHeld.length; g++) {
            if (index >= firstHeld[g]) {
                block.drop(g);
            }
        }
        block.dropReference();
    }

    /** Drops what no window reaches any more. After a step. */
    void dropUnseen() {
        for (int g = 0; g < firstHeld.length; g++) {
            int keep = pool.firstVisible(g, Math.max(0, length - PagedPool.SLACK));
            for (; firstHeld[g] < keep; firstHeld[g]++) {
                blocks.get(firstHeld[g]).drop(g);
            }
        }
    }

    /** The slot that holds {@code position} in a group. */
    int slot(int group, int position) {
        return blocks.get(position / BLOCK).slot(group);
    }

    @Override
    public List<KvBlock> fullBlocks() {
        return List.copyOf(blocks.subList(0, length / BLOCK));
    }

    @Override
    public boolean canTruncate(int to) {
        if (to < 0 || to > length) {
            return false;
        }
        for (int g = 0; g < firstHeld.length; g++) {
            if (firstHeld[g] > pool.firstVisible(g, to)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void truncate(int to) {
        if (!canTruncate(to)) {
            throw new IllegalArgumentException("cannot go back from " + length + " to " + to);
        }
        length = to;
        while (blocks.size() > (to + BLOCK - 1) / BLOCK) {
            letGo(blocks.size() - 1);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            while (!blocks.isEmpty()) {
                letGo(blocks.size() - 1);
            }
            length = 0;
        }
    }
}
