package skulk.api;

import java.lang.foreign.MemorySegment;

/** What a target model lends drafters that need more than tokens. Segments are f32 rows, valid during the call. */
public interface TargetAccess {
    int vocabularySize();

    int hiddenSize();

    /** Writes the embedding row of a token. */
    void embedding(int token, MemorySegment into);

    /** Writes the logits of a final hidden state. */
    void logits(MemorySegment hidden, MemorySegment into);
}
