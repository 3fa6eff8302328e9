package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;
import skulk.runner.mlx.model.Batch;
import skulk.runner.mlx.model.CacheFullException;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderSpec;
import skulk.runner.mlx.model.KvBlock;
import skulk.runner.mlx.model.KvPool;
import skulk.runner.mlx.model.KvSequence;
import skulk.runner.mlx.model.Logits;

/**
 * A decoder whose next token is a hash of the whole past, so that any mistake in bookkeeping changes the output. It
 * notes every step and can be made to wait before each.
 */
final class FakeDecoder implements Decoder {
    static final int VOCAB = 97;
    static final int BLOCK = 4;

    /** The rows of one slice of a noted step. */
    record Seen(long sequence, int tokens, int logitRows) {}

    final List<List<Seen>> steps = new CopyOnWriteArrayList<>();
    final Semaphore permits = new Semaphore(0);
    final FakePool pool;
    private final boolean stepped;
    volatile UnaryOperator<Batch> fault = batch -> batch;

    /** @param stepped whether each step waits for a permit */
    FakeDecoder(int blocks, boolean stepped) {
        this.pool = new FakePool(blocks);
        this.stepped = stepped;
    }

    /** The token that follows a past. */
    static int next(List<Integer> past) {
        int hash = 17;
        for (int token : past) {
            hash = hash * 31 + token + 1;
        }
        return Math.floorMod(hash ^ (hash >>> 15), VOCAB);
    }

    @Override
    public DecoderSpec spec() {
        return new DecoderSpec("fake", VOCAB, 1, 1, 4096, 1, 1, "none");
    }

    @Override
    public KvPool cache() {
        return pool;
    }

    public void hidden(Batch batch, Logits states) {
        throw new UnsupportedOperationException("scripts have no hidden states");
    }

    /** Computes at once, as a rank of the first layers does; only the logits come later. */
    @Override
    public Pending begin(Batch batch) {
        Logits own = new Logits();
        forward(batch, own);
        return logits -> {
            logits.reset(own.rows(), VOCAB);
            System.arraycopy(own.values(), 0, logits.values(), 0, own.rows() * VOCAB);
        };
    }

    @Override
    public void forward(Batch batch, Logits logits) {
        if (stepped) {
            permits.acquireUninterruptibly();
        }
        fault.apply(batch);
        int wanted = 0;
        for (Batch.Slice slice : batch.slices()) {
            wanted += slice.sequence().blocksFor(slice.tokens().length);
        }
        if (wanted > pool.freeBlocks()) {
            throw new CacheFullException(wanted, pool.freeBlocks());
        }
        int rows = batch.slices().stream().mapToInt(Batch.Slice::logitRows).sum();
        logits.reset(rows, VOCAB);
        List<Seen> seen = new ArrayList<>();
        int row = 0;
        for (Batch.Slice slice : batch.slices()) {
            FakeSequence sequence = (FakeSequence) slice.sequence();
            seen.add(new Seen(sequence.id, slice.tokens().length, slice.logitRows()));
            for (int i = 0; i < slice.tokens().length; i++) {
                sequence.append(slice.tokens()[i]);
                if (slice.tokens().length - i <= slice.logitRows()) {
                    for (int v = 0; v < VOCAB; v++) {
                        logits.values()[logits.offset(row) + v] = 0;
                    }
                    logits.values()[logits.offset(row++) + next(sequence.past)] = 5;
                }
            }
        }
        steps.add(List.copyOf(seen));
    }

    @Override
    public void close() {}

    static final class FakePool implements KvPool {
        private final int blocks;
        private int used;
        private int mostUsed;
        private long sequences;
        /** Most blocks that a sequence can start with; fewer than are kept where windows have left some behind. */
        volatile int shareable = Integer.MAX_VALUE;

        FakePool(int blocks) {
            this.blocks = blocks;
        }

        @Override
        public int blockSize() {
            return BLOCK;
        }

        @Override
        public long limitBytes() {
            return blocks;
        }

        @Override
        public synchronized long usedBytes() {
            return used;
        }

        @Override
        public int totalBlocks() {
            return blocks;
        }

        @Override
        public long longestSequence(int step) {
            return (long) blocks * BLOCK;
        }

        @Override
        public synchronized int freeBlocks() {
            return blocks - used;
        }

        synchronized void use(int change) {
            used += change;
            mostUsed = Math.max(mostUsed, used);
        }

        synchronized int mostUsed() {
            return mostUsed;
        }

        @Override
        public synchronized int emptyBlocks() {
            return mostUsed - used;
        }

        @Override
        public KvSequence newSequence() {
            return new FakeSequence(this, sequences++, List.of());
        }

        @Override
        public KvSequence newSequence(List<KvBlock> prefix) {
            return new FakeSequence(this, sequences++, prefix);
        }

        @Override
        public boolean canShare(List<KvBlock> prefix) {
            return prefix.size() <= shareable && prefix.stream().allMatch(block -> block.references() > 0);
        }
    }

    private static final class FakeBlock implements KvBlock {
        private final FakePool pool;
        private List<Integer> tokens = List.of();
        private int references = 1;

        FakeBlock(FakePool pool) {
            this.pool = pool;
            pool.use(1);
        }

        @Override
        public void retain() {
            references++;
        }

        @Override
        public void release() {
            if (references <= 0) {
                throw new IllegalStateException("released twice");
            }
            if (--references == 0) {
                pool.use(-1);
            }
        }

        @Override
        public boolean trim() {
            return false;
        }

        @Override
        public int references() {
            return references;
        }

        @Override
        public long bytes() {
            return 1;
        }
    }

    private static final class FakeSequence implements KvSequence {
        private final FakePool pool;
        final long id;
        final List<Integer> past = new ArrayList<>();
        private final List<FakeBlock> blocks = new ArrayList<>();

        FakeSequence(FakePool pool, long id, List<KvBlock> prefix) {
            this.pool = pool;
            this.id = id;
            for (KvBlock block : prefix) {
                block.retain();
                blocks.add((FakeBlock) block);
                past.addAll(((FakeBlock) block).tokens);
            }
        }

        void append(int token) {
            if (past.size() == blocks.size() * BLOCK) {
                blocks.add(new FakeBlock(pool));
            }
            past.add(token);
            if (past.size() % BLOCK == 0) {
                blocks.getLast().tokens = List.copyOf(past.subList(past.size() - BLOCK, past.size()));
            }
        }

        @Override
        public int length() {
            return past.size();
        }

        @Override
        public int blocksFor(int tokens) {
            return Math.ceilDiv(past.size() + tokens, BLOCK) - blocks.size();
        }

        @Override
        public List<KvBlock> fullBlocks() {
            return List.copyOf(blocks.subList(0, past.size() / BLOCK));
        }

        @Override
        public boolean canTruncate(int length) {
            return true;
        }

        @Override
        public void truncate(int length) {
            past.subList(length, past.size()).clear();
            while (blocks.size() > Math.ceilDiv(length, BLOCK)) {
                blocks.removeLast().release();
            }
            if (length % BLOCK != 0 && blocks.getLast().references() > 1) {
                blocks.removeLast().release();
                blocks.add(new FakeBlock(pool));
            }
        }

        @Override
        public void close() {
            blocks.forEach(FakeBlock::release);
            blocks.clear();
        }
    }
}
