package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.kernel.AttentionKernels;

/** A sequence: its blocks in order, and per group from which block on it still holds them. */
final class PagedSequence implements KvSequence {
    private static final int BLOCK = AttentionKernels.BLOCK;

    private final PagedPool pool;
    private final List<PagedBlock> blocks = new ArrayList<>();
    private final int[] firstHeld;
    private int length;
    private boolean closed;
    private final Optional<RecurrentState> state;

    PagedSequence(PagedPool pool) {
        this.pool = pool;
        this.firstHeld = new int[pool.layout().groups().size()];
        this.state = pool.recurrent() ? Optional.of(new RecurrentState(pool)) : Optional.empty();
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

    /** What recurrent layers carry on. */
    RecurrentState state() {
        return state.orElseThrow();
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int blocksFor(int tokens) {
        int wanted = (length + tokens + BLOCK - 1) / BLOCK - blocks.size();
        int own = state.map(s -> s.blocksNeeded()).orElse(0);
        return wanted + (tokens > 0 && mustCopy() ? 1 : 0) + (tokens > 0 ? own : 0);
    }

    private boolean mustCopy() {
        return length % BLOCK != 0 && blocks.getLast().references() > 1;
    }

    /** Makes room for positions none of which may be taken back. */
    void append(int tokens) {
        append(tokens, 0);
    }

    /** Makes room for the positions of a slice and counts them in; the pool has the room. */
    void append(int tokens, int logitRows) {
        state.ifPresent(s -> s.open(blocks, length));
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
        state.ifPresent(s -> s.begin(blocks, length, tokens, logitRows));
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
        state.ifPresent(RecurrentState::end);
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
        return state.isEmpty() || to == 0 || state.get().canTruncate(length, to);
    }

    @Override
    public void truncate(int to) {
        if (!canTruncate(to)) {
            throw new IllegalArgumentException("cannot go back from " + length + " to " + to);
        }
        int dropped = length - to;
        state.ifPresent(s -> s.truncate(dropped, to));
        length = to;
        while (blocks.size() > (to + BLOCK - 1) / BLOCK) {
            letGo(blocks.size() - 1);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            state.ifPresent(RecurrentState::close);
            while (!blocks.isEmpty()) {
                letGo(blocks.size() - 1);
            }
            length = 0;
        }
    }
}
