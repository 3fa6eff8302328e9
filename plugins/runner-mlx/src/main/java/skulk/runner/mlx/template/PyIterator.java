package skulk.runner.mlx.template;

import java.util.Iterator;

/**
 * A Python generator or iterator: lazy, and used up by reading it.
 *
 * @param typeName Python's name of the type
 * @param source what is left to read
 */
record PyIterator(String typeName, Iterator<Object> source) {
    static PyIterator generator(Iterator<Object> source) {
        return new PyIterator("generator", source);
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
