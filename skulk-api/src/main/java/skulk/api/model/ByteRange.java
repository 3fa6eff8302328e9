package skulk.api.model;

/**
 * A stretch of a file.
 *
 * @param start first byte
 * @param end the byte after the last
 */
public record ByteRange(long start, long end) {
    /** @throws IllegalArgumentException where it ends before it starts */
    public ByteRange {
        if (start < 0 || end < start) {
            throw new IllegalArgumentException("not a range of bytes: %d to %d".formatted(start, end));
        }
    }

    public long size() {
        return end - start;
    }
}
