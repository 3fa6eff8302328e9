package skulk.runner.mlx.model;

import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Which part of a matrix this rank holds.
 *
 * @param rows ranges of rows, in order
 * @param columns range of columns
 */
record Cut(List<Range> rows, Range columns) {
    Cut {
        rows = List.copyOf(rows);
    }

    static Cut rows(int cols, Range... rows) {
        return new Cut(List.of(rows), new Range(0, cols));
    }

    int rowCount() {
        return rows.stream().mapToInt(Range::size).sum();
    }

    /** The row of the whole matrix that becomes row {@code index} here. */
    int sourceRow(int index) {
        int left = index;
        for (Range range : rows) {
            if (left < range.size()) {
                return range.from + left;
            }
            left -= range.size();
        }
        throw new IndexOutOfBoundsException(index);
    }

    /** {@code from} inclusive, {@code to} exclusive. */
    record Range(int from, int to) {
        int size() {
            return to - from;
        }

        Range times(int factor) {
            return new Range(from * factor, to * factor);
        }

        void each(IntConsumer action) {
            IntStream.range(from, to).forEach(action);
        }

        Range plus(int offset) {
            return new Range(from + offset, to + offset);
        }
    }
}
