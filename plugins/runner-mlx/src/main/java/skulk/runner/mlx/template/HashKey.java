package skulk.runner.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Maps values that Python holds for equal and hashable to objects that Java holds for equal. */
final class HashKey {
    private enum Special {
        NONE,
        UNDEFINED
    }

    private record Tuple(List<Object> items) {}

    private static final class Identity {
        private final Object object;

        Identity(Object object) {
            this.object = object;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Identity that && that.object == object;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(object);
        }
    }

    private HashKey() {}

    /** Fails with Python's "unhashable type" for lists and dicts. */
    static Object of(Object value) {
        return of(value, 0);
    }

    private static Object of(Object value, int depth) {
        return switch (value) {
            case null -> Special.NONE;
            case String text -> text;
            case Markup safe -> safe.text();
            case Long number -> number;
            case Boolean flag -> flag ? 1L : 0L;
            case BigInteger number -> number;
            case Double number -> number(number);
            case Undefined _ -> Special.UNDEFINED;
            case PyTuple tuple -> tuple(tuple, depth);
            case PyRange range -> range;
            case List<?> _, PyDict _, DictView _ ->
                throw Errors.type("unhashable type: " + Repr.quote(Types.name(value)));
            default -> new Identity(value);
        };
    }

    private static Object number(double number) {
        if (number == Math.rint(number) && !Double.isInfinite(number)) {
            return Numbers.normal(new BigDecimal(number).toBigInteger());
        }
        return number;
    }

    private static Object tuple(PyTuple tuple, int depth) {
        if (depth > 100) {
            throw Errors.limit("a tuple is nested too deeply");
        }
        List<Object> items = new ArrayList<>(tuple.size());
        for (Object item : tuple.items()) {
            items.add(of(item, depth + 1));
        }
        return new Tuple(items);
    }
}
