package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;

/** Python's slices. */
final class Slices {
    private Slices() {}

    /**
     * A slice of so many elements: where it starts, how far apart its elements are, how many they are.
     */
    private record Range(long start, long step, long count) {
        static Range of(long length, Object start, Object stop, Object step) {
            long by = step == null ? 1 : bound(step);
            if (by == 0) {
                throw Errors.value("slice step cannot be zero");
            }
            long low = by < 0 ? -1 : 0;
            long high = by < 0 ? length - 1 : length;
            long from = start == null ? (by < 0 ? high : low) : clip(bound(start), length, low, high);
            long to = stop == null ? (by < 0 ? low : high) : clip(bound(stop), length, low, high);
            long distance = by < 0 ? from - to : to - from;
            long stride = by == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(by);
            return new Range(from, by, distance <= 0 ? 0 : (distance - 1) / stride + 1);
        }

        private static long clip(long index, long length, long low, long high) {
            return Math.clamp(index < 0 ? index + length : index, low, high);
        }

        private static long bound(Object value) {
            if (!Types.isInteger(value)) {
                throw Errors.type("slice indices must be integers or None or have an __index__ method");
            }
            return Math.clamp(Numbers.index(value), Long.MIN_VALUE / 4, Long.MAX_VALUE / 4);
        }
    }

    static Object slice(Object value, Object start, Object stop, Object step, Render render) {
        return switch (value) {
            case String text -> text(text, start, stop, step, render);
            case Markup safe -> new Markup(text(safe.text(), start, stop, step, render));
            case List<?> list -> elements(list, start, stop, step, render);
            case PyTuple tuple -> PyTuple.of(elements(tuple.items(), start, stop, step, render));
            case PyRange range -> {
                Range part = Range.of(range.size(), start, stop, step);
                long first = range.start() + part.start() * range.step();
                long by = range.step() * part.step();
                yield new PyRange(first, first + part.count() * by, by);
            }
            case Undefined undefined -> throw undefined.failure();
            case PyDict _ -> throw Errors.type("unhashable type: 'slice'");
            case null, default -> throw Errors.type(Repr.quote(Types.name(value)) + " object is not subscriptable");
        };
    }

    private static String text(String text, Object start, Object stop, Object step, Render render) {
        Range range = Range.of(Str.length(text), start, stop, step);
        render.work(range.count());
        if (range.step() == 1) {
            return Str.part(text, (int) range.start(), (int) (range.start() + range.count()));
        }
        int[] points = text.codePoints().toArray();
        StringBuilder part = new StringBuilder();
        for (long i = 0; i < range.count(); i++) {
            part.appendCodePoint(points[(int) (range.start() + i * range.step())]);
        }
        return part.toString();
    }

    private static List<Object> elements(List<?> items, Object start, Object stop, Object step, Render render) {
        Range range = Range.of(items.size(), start, stop, step);
        render.elements(range.count());
        List<Object> part = new ArrayList<>((int) range.count());
        for (long i = 0; i < range.count(); i++) {
            part.add(items.get((int) (range.start() + i * range.step())));
        }
        return part;
    }
}
