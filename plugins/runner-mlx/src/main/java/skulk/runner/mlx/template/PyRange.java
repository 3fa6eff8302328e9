package skulk.runner.mlx.template;

import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * A Python range.
 *
 * @param step never zero
 */
record PyRange(long start, long stop, long step) {
    /** Longest range the sandbox allows: {@code MAX_RANGE} of jinja2/sandbox.py. */
    static final long MAX = 100_000;

    /** A range for a template, checked as the sandbox does. */
    static PyRange safe(long start, long stop, long step) {
        if (step == 0) {
            throw Errors.value("range() arg 3 must not be zero");
        }
        PyRange range = new PyRange(start, stop, step);
        if (range.size() > MAX) {
            throw Errors.overflow("Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + MAX + ").");
        }
        return range;
    }

    long size() {
        if (step > 0 ? start >= stop : start <= stop) {
            return 0;
        }
        double size = ((double) stop - start) / step;
        return size > 1e18 ? Long.MAX_VALUE : (stop - start + step - Long.signum(step)) / step;
    }

    Long get(long index) {
        return start + index * step;
    }

    boolean contains(long value) {
        boolean inside = step > 0 ? value >= start && value < stop : value <= start && value > stop;
        return inside && (value - start) % step == 0;
    }

    PyRange reversed() {
        long size = size();
        return new PyRange(start + (size - 1) * step, start - step, -step);
    }

    Iterator<Object> iterator() {
        long size = size();
        return new Iterator<>() {
            private long next;

            @Override
            public boolean hasNext() {
                return next < size;
            }

            @Override
            public Object next() {
                if (next >= size) {
                    throw new NoSuchElementException();
                }
                return get(next++);
            }
        };
    }

    /** Ranges are equal when they yield the same numbers. */
    @Override
    public boolean equals(Object other) {
        if (!(other instanceof PyRange that) || size() != that.size()) {
            return false;
        }
        return size() == 0 || (start == that.start && (size() == 1 || step == that.step));
    }

    @Override
    public int hashCode() {
        return size() == 0 ? 0 : Long.hashCode(start);
    }

    @Override
    public String toString() {
        return "range(" + start + ", " + stop + (step == 1 ? "" : ", " + step) + ")";
    }
}
