package skulk.runner.mlx.model;

import java.util.HashSet;
import java.util.Set;
import java.util.function.UnaryOperator;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.WorkerPool;

/** Runs an architecture over the paged cache; knows nothing of families. */
final class TransformerDecoder implements Decoder {
    private final Architecture architecture;
    private final DecoderSpec spec;
    private final PagedPool cache;
    private final Ops ops;
    private final Pipeline pipeline;
    private final WorkerPool workers;
    private final NativeMemory memory;
    private boolean closed;

    TransformerDecoder(Architecture architecture, DecoderSpec spec, PagedPool cache, Ops ops, Parts parts) {
        this.architecture = architecture;
        this.spec = spec;
        this.cache = cache;
        this.ops = ops;
        this.pipeline = parts.pipeline;
        this.workers = parts.workers;
        this.memory = parts.memory;
    }

    @Override
    public DecoderSpec spec() {
        return spec;
    }

    @Override
    public KvPool cache() {
        return cache;
    }

    @Override
    public void forward(Batch batch, Logits logits) {
        begin(batch).finish(logits);
    }

    @Override
    public Pending begin(Batch batch) {
        Rows wanted = layers(batch);
        return logits ->
                emit(pipeline.collect(ops, wanted), spec.vocab(), logits, rows -> architecture.logits(ops, rows));
    }

    @Override
    public void hidden(Batch batch, Logits states) {
        Rows wanted = pipeline.collect(ops, layers(batch));
        emit(wanted, spec.hidden(), states, rows -> architecture.normed(ops, rows));
    }

    /** This rank's part of a step up to the last layer: the rows that are asked for. */
    private Rows layers(Batch batch) {
        check(batch);
        ops.begin(Step.of(batch), pipeline.last());
        for (Batch.Slice slice : batch.slices()) {
            ((PagedSequence) slice.sequence()).append(slice.tokens().length, slice.logitRows());
        }
        Rows hidden = pipeline.first() ? architecture.embed(ops) : pipeline.receive(ops, spec.hidden());
        Rows rest = architecture.layers(ops, hidden);
        Rows wanted = wanted(rest);
        pipeline.pass(hidden, wanted);
        for (Batch.Slice slice : batch.slices()) {
            ((PagedSequence) slice.sequence()).dropUnseen();
        }
        return wanted;
    }

    /** Of the rows after this rank's layers; before the model's last layer only their number counts. */
    private Rows wanted(Rows rest) {
        int count = ops.step().wanted().length;
        boolean all = rest.count() == ops.step().rows() && pipeline.last();
        return all ? ops.wanted(rest) : new Rows(rest.data(), count, rest.width());
    }

    private void emit(Rows wanted, int width, Logits out, UnaryOperator<Rows> finish) {
        if (wanted.count() == 0 || !pipeline.first()) {
            out.reset(0, width);
            return;
        }
        Rows values = finish.apply(wanted);
        boolean complete = values.width() == width;
        out.reset(complete ? wanted.count() : 0, width);
        if (complete) {
            System.arraycopy(values.data(), 0, out.values(), 0, values.count() * values.width());
        }
    }

    private void check(Batch batch) {
        Set<KvSequence> seen = new HashSet<>();
        int blocks = 0;
        for (Batch.Slice slice : batch.slices()) {
            if (!(slice.sequence() instanceof PagedSequence sequence)
                    || sequence.pool() != cache
                    || sequence.closed()) {
                throw new IllegalArgumentException("a sequence is closed or of another decoder");
            }
            if (!seen.add(sequence)) {
                throw new IllegalArgumentException("a sequence occurs twice in the batch");
            }
            if (slice.tokens().length > spec.maxContext() - sequence.length()) {
                throw new IllegalArgumentException("a sequence of " + sequence.length() + " positions cannot grow by "
                        + slice.tokens().length + " to more than " + spec.maxContext());
            }
            for (int token : slice.tokens()) {
                if (token < 0 || token >= spec.vocab()) {
                    throw new IllegalArgumentException("token " + token + " is outside 0.." + (spec.vocab() - 1));
                }
            }
            blocks += sequence.blocksFor(slice.tokens().length);
        }
        if (blocks > cache.freeBlocks()) {
            throw new CacheFullException(blocks, cache.freeBlocks());
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            workers.close();
            memory.close();
        }
    }

    /** What the decoder owns beside the model. */
    record Parts(Pipeline pipeline, WorkerPool workers, NativeMemory memory) {}
}
