package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import skulk.runner.mlx.model.Batch;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.KvBlock;
import skulk.runner.mlx.model.KvSequence;
import skulk.runner.mlx.model.Logits;

/**
 * The sequences and shared blocks of one rank, changed by {@link StepPlan}s alone, so that all ranks hold the same.
 * Driver thread only.
 *
 * <p>A follower rank runs {@link #run} on every plan that rank 0 sends.
 */
public final class RankSequences implements AutoCloseable {
    private final Decoder decoder;
    private final Map<Long, KvSequence> sequences = new HashMap<>();
    private final Map<BlockKey, KvBlock> kept = new HashMap<>();

    public RankSequences(Decoder decoder) {
        this.decoder = decoder;
    }

    /** Does what a plan says. @throws RuntimeException as {@link Decoder#forward} */
    public void run(StepPlan plan, Logits logits) {
        plan.operations().forEach(this::apply);
        if (!plan.slices().isEmpty()) {
            forward(plan.slices(), logits);
        }
    }

    void apply(StepPlan.Operation operation) {
        switch (operation) {
            case StepPlan.Open(long sequence, List<BlockKey> prefix) -> {
                KvSequence opened = prefix.isEmpty()
                        ? decoder.cache().newSequence()
                        : decoder.cache()
                                .newSequence(prefix.stream().map(kept::get).toList());
                sequences.put(sequence, opened);
            }
            case StepPlan.Keep(BlockKey key, long sequence, int block) -> {
                KvBlock full = sequences.get(sequence).fullBlocks().get(block);
                full.retain();
                kept.put(key, full);
            }
            case StepPlan.Evict(BlockKey key) -> kept.remove(key).release();
            case StepPlan.Trim(BlockKey key) -> kept.get(key).trim();
            case StepPlan.Truncate(long sequence, int length) ->
                sequences.get(sequence).truncate(length);
            case StepPlan.Close(long sequence) -> sequences.remove(sequence).close();
        }
    }

    private void forward(List<StepPlan.Slice> slices, Logits logits) {
        begin(slices).finish(logits);
    }

    Decoder.Pending begin(List<StepPlan.Slice> slices) {
        List<Batch.Slice> batch = new ArrayList<>(slices.size());
        for (StepPlan.Slice slice : slices) {
            batch.add(new Batch.Slice(sequences.get(slice.sequence()), slice.tokens(), slice.logitRows()));
        }
        return decoder.begin(new Batch(batch));
    }

    /** Whether a sequence could start with these kept blocks. */
    boolean canShare(List<BlockKey> prefix) {
        return decoder.cache().canShare(prefix.stream().map(kept::get).toList());
    }

    int blocksFor(long sequence, int tokens) {
        return sequences.get(sequence).blocksFor(tokens);
    }

    /** Full blocks that a sequence still holds. */
    int fullBlocks(long sequence) {
        return sequences.get(sequence).fullBlocks().size();
    }

    /** Whether only the prefix cache holds a kept block, so that evicting it frees memory. */
    boolean onlyKept(BlockKey key) {
        return kept.get(key).references() == 1;
    }

    /** Lets go of what only the prefix cache holds of a block in use. @return whether that freed memory */
    boolean trim(BlockKey key) {
        return kept.get(key).trim();
    }

    int open() {
        return sequences.size();
    }

    @Override
    public void close() {
        sequences.values().forEach(KvSequence::close);
        sequences.clear();
        kept.values().forEach(KvBlock::release);
        kept.clear();
    }
}
