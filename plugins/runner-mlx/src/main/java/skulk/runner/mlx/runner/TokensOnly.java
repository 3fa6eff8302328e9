package skulk.runner.mlx.runner;

import java.lang.foreign.MemorySegment;
import skulk.api.TargetAccess;

/** Lends drafters the sizes of the target, not its weights: enough for those that guess from tokens. */
record TokensOnly(int vocabularySize, int hiddenSize) implements TargetAccess {
    @Override
    public void embedding(int token, MemorySegment into) {
        throw new UnsupportedOperationException("this engine lends no embeddings");
    }

    @Override
    public void logits(MemorySegment hidden, MemorySegment into) {
        throw new UnsupportedOperationException("this engine lends no output head");
    }
}
