package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.KvPool;

/**
 * The cache as the scheduler uses it: sequences that start with blocks of earlier ones, blocks kept until their room is
 * needed. Every change is done here at once and noted for the plan of the next step, so that other ranks follow. Driver
 * thread only.
 */
final class SharedCache implements AutoCloseable {
    private final KvPool pool;
    private final RankSequences sequences;
    private final Consumer<StepPlan> followers;
    private final BooleanSupplier memoryScarce;
    private final PrefixCache prefixes = new PrefixCache();
    private final List<StepPlan.Operation> pending = new ArrayList<>();

    /**
     * @param followers get every plan before it runs here
     * @param memoryScarce whether the cache should not grow now
     */
    SharedCache(Decoder decoder, Consumer<StepPlan> followers, BooleanSupplier memoryScarce) {
        this.memoryScarce = memoryScarce;
        this.pool = decoder.cache();
        this.sequences = new RankSequences(decoder);
        this.followers = followers;
    }

    /** Opens a sequence on the longest start that is kept; at least one token is left to compute. */
    void open(Sequence sequence) {
        List<BlockKey> prefix = prefix(sequence);
        apply(new StepPlan.Open(sequence.id, prefix));
        sequence.open = true;
        sequence.openings++;
        sequence.computed = prefix.size() * pool.blockSize();
        sequence.offered = prefix.size();
    }

    /** The kept blocks that a sequence can start with. */
    private List<BlockKey> prefix(Sequence sequence) {
        int size = pool.blockSize();
        sequence.keys = BlockKey.chain(sequence.keys, sequence.tokens(), sequence.length(), size);
        int most = Math.min(sequence.keys.size(), (sequence.length() - 1) / size);
        List<BlockKey> prefix = prefixes.match(sequence.keys.subList(0, most));
        while (!prefix.isEmpty() && !sequences.canShare(prefix)) {
            prefix = prefix.subList(0, prefix.size() - 1);
        }
        return prefix;
    }

    /** Blocks that opening and prefilling a sequence would take beyond those that it starts with. */
    private int blocksWanted(Sequence sequence) {
        return sequence.length() / pool.blockSize() + 1 - prefix(sequence).size();
    }

    /** Makes room to open and prefill a sequence, at worst by forgetting blocks that it could have started with. @return whether there is room now */
    boolean makeRoomFor(Sequence sequence) {
        int wanted;
        do {
            wanted = blocksWanted(sequence);
            if (!makeRoom(wanted)) {
                return false;
            }
        } while (blocksWanted(sequence) > wanted);
        return true;
    }

    /** Keeps the blocks that became full. */
    void offer(Sequence sequence) {
        int size = pool.blockSize();
        int full = sequence.computed / size;
        if (full <= sequence.offered) {
            return;
        }
        sequence.keys = BlockKey.chain(sequence.keys, sequence.tokens(), sequence.computed, size);
        int held = Math.min(full, sequences.fullBlocks(sequence.id));
        for (int block = sequence.offered; block < held; block++) {
            BlockKey key = sequence.keys.get(block);
            if (!prefixes.contains(key)) {
                apply(new StepPlan.Keep(key, sequence.id, block));
                prefixes.add(key);
            }
        }
        sequence.offered = full;
    }

    void truncate(Sequence sequence, int length) {
        apply(new StepPlan.Truncate(sequence.id, length));
        sequence.computed = length;
    }

    /** Closes a sequence, if it is open; it may be opened again. */
    void close(Sequence sequence) {
        if (sequence.open) {
            apply(new StepPlan.Close(sequence.id));
            sequence.open = false;
            sequence.awaiting = false;
            sequence.computed = 0;
            sequence.offered = 0;
        }
    }

    int blocksFor(Sequence sequence, int tokens) {
        return sequences.blocksFor(sequence.id, tokens);
    }

    /**
     * Makes room by forgetting kept blocks, least recently used first, then what sliding windows have left behind in
     * blocks that are in use; where memory is scarce, also where the budget
     * has room, so that blocks are used again rather than new ones taken.
     *
     * @return whether there is room now
     */
    boolean makeRoom(int blocks) {
        boolean more = true;
        while (more && pool.freeBlocks() < blocks) {
            more = evict() || trim();
        }
        while (more && pool.emptyBlocks() < blocks && memoryScarce.getAsBoolean()) {
            more = evict();
        }
        return pool.freeBlocks() >= blocks;
    }

    /** @return false where nothing can be let go of */
    private boolean trim() {
        Optional<BlockKey> trimmed = prefixes.first(sequences::trim);
        trimmed.ifPresent(key -> pending.add(new StepPlan.Trim(key)));
        return trimmed.isPresent();
    }

    /** @return false where nothing can be forgotten */
    private boolean evict() {
        Optional<BlockKey> victim = prefixes.evict(sequences::onlyKept);
        victim.ifPresent(key -> apply(new StepPlan.Evict(key)));
        return victim.isPresent();
    }

    /** Begins a step here, after telling the followers of it. */
    Decoder.Pending begin(List<StepPlan.Slice> slices) {
        followers.accept(new StepPlan(pending, slices));
        pending.clear();
        return sequences.begin(slices);
    }

    /** Sequences that hold blocks. */
    int openSequences() {
        return sequences.open();
    }

    int keptBlocks() {
        return prefixes.size();
    }

    @Override
    public void close() {
        sequences.close();
    }

    private void apply(StepPlan.Operation operation) {
        sequences.apply(operation);
        pending.add(operation);
    }
}
