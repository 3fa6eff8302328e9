package skulk.api;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Ordered, reliable bytes between the ranks of one instance. Both ends know the size of each message. One thread sends and one thread receives per pair at a
 * time.
 */
public interface RankLinks {
    /** Sends all bytes of the segment. @throws IOException naming the pair, where the link is gone or a step deadline has passed */
    void send(int rank, MemorySegment data) throws IOException;

    /** Fills the segment. @throws IOException as {@link #send} */
    void receive(int rank, MemorySegment into) throws IOException;

    /**
     * Whether {@link #receive} would find something at once; true where that cannot be told. Waking a thread takes longer than a message on a fast link, so a
     * caller may look for a moment before it waits.
     */
    default boolean arrived(int rank) throws IOException {
        return true;
    }
}
