package skulk.api.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Some of a file's bytes.
 *
 * @param path as in {@link ModelFile}
 * @param ranges in ascending order, without gaps of zero bytes between two of them
 */
public record FilePart(String path, List<ByteRange> ranges) {
    /** Sorts the ranges and joins those that touch or overlap; empty ones are dropped. */
    public FilePart {
        List<ByteRange> joined = new ArrayList<>();
        for (ByteRange range : ranges.stream()
                .filter(r -> r.size() > 0)
                .sorted(Comparator.comparingLong(ByteRange::start))
                .toList()) {
            if (!joined.isEmpty() && range.start() <= joined.getLast().end()) {
                ByteRange last = joined.removeLast();
                joined.add(new ByteRange(last.start(), Math.max(last.end(), range.end())));
            } else {
                joined.add(range);
            }
        }
        ranges = List.copyOf(joined);
    }

    public long bytes() {
        return ranges.stream().mapToLong(ByteRange::size).sum();
    }

    /** Whether all bytes from start to before end are among these. */
    public boolean covers(long start, long end) {
        return start >= end || ranges.stream().anyMatch(r -> r.start() <= start && end <= r.end());
    }
}
