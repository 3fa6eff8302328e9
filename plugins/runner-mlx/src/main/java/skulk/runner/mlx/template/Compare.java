package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/** Python's equality, order and membership. */
final class Compare {
    private Compare() {}

    static boolean equal(Object a, Object b, Render render) {
        if (a == b) {
            return !(a instanceof Double number) || !number.isNaN();
        }
        if (a == null || b == null) {
            return false;
        }
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return !nan(a) && !nan(b) && Numbers.compare(Numbers.plain(a), Numbers.plain(b)) == 0;
        }
        String text = Str.of(a);
        if (text != null) {
            return text.equals(Str.of(b));
        }
        return switch (a) {
            case List<?> list -> b instanceof List<?> other && equalElements(list, other, render);
            case PyTuple tuple -> b instanceof PyTuple other && equalElements(tuple.items(), other.items(), render);
            case PyDict dict -> b instanceof PyDict other && equalEntries(dict, other, render);
            case PyRange range -> range.equals(b);
            case Undefined _ -> b instanceof Undefined;
            case DictView view -> b instanceof DictView other && equalViews(view, other, render);
            default -> false;
        };
    }

    private static boolean nan(Object value) {
        return value instanceof Double number && number.isNaN();
    }

    /** How containers compare their elements: the same object is equal to itself. */
    private static boolean same(Object a, Object b, Render render) {
        return a == b || equal(a, b, render);
    }

    private static boolean equalElements(List<?> a, List<?> b, Render render) {
        if (a.size() != b.size()) {
            return false;
        }
        render.enter();
        try {
            Iterator<?> others = b.iterator();
            for (Object item : a) {
                render.step();
                if (!same(item, others.next(), render)) {
                    return false;
                }
            }
            return true;
        } finally {
            render.leave();
        }
    }

    private static boolean equalEntries(PyDict a, PyDict b, Render render) {
        if (a.size() != b.size()) {
            return false;
        }
        render.enter();
        try {
            for (Object key : a.keys()) {
                render.step();
                Object other = b.get(key);
                if (other == Missing.MISSING || !same(a.get(key), other, render)) {
                    return false;
                }
            }
            return true;
        } finally {
            render.leave();
        }
    }

    /** Keys and items compare as sets; values only by identity. */
    private static boolean equalViews(DictView a, DictView b, Render render) {
        if (a.kind() == DictView.Kind.VALUES || b.kind() == DictView.Kind.VALUES) {
            return false;
        }
        if (a.dict().size() != b.dict().size()) {
            return false;
        }
        for (Object item : a.list()) {
            if (!contains(b, item, render)) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@code a operator b} holds, for one of the four ordering operators. */
    static boolean ordered(Object a, Object b, String operator, Render render) {
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return !nan(a) && !nan(b) && holds(Numbers.compare(Numbers.plain(a), Numbers.plain(b)), operator);
        }
        String text = Str.of(a);
        String otherText = Str.of(b);
        if (text != null && otherText != null) {
            return holds(Str.compare(text, otherText), operator);
        }
        if (a instanceof List<?> list && b instanceof List<?> other) {
            return orderedElements(list, other, operator, render);
        }
        if (a instanceof PyTuple tuple && b instanceof PyTuple other) {
            return orderedElements(tuple.items(), other.items(), operator, render);
        }
        if (a instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (b instanceof Undefined undefined) {
            throw undefined.failure();
        }
        throw Errors.type(Repr.quote(operator) + " not supported between instances of " + Repr.quote(Types.name(a))
                + " and " + Repr.quote(Types.name(b)));
    }

    private static boolean orderedElements(List<?> a, List<?> b, String operator, Render render) {
        render.enter();
        try {
            int shared = Math.min(a.size(), b.size());
            for (int i = 0; i < shared; i++) {
                render.step();
                if (!same(a.get(i), b.get(i), render)) {
                    return ordered(a.get(i), b.get(i), operator, render);
                }
            }
            return holds(Integer.compare(a.size(), b.size()), operator);
        } finally {
            render.leave();
        }
    }

    private static boolean holds(int order, String operator) {
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            case ">=" -> order >= 0;
            default -> throw new IllegalStateException(operator);
        };
    }

    /** {@code item in container}. */
    static boolean contains(Object container, Object item, Render render) {
        String text = Str.of(container);
        if (text != null) {
            String part = Str.of(item);
            if (part == null) {
                throw Errors.type("'in <string>' requires string as left operand, not " + Types.name(item));
            }
            return text.contains(part);
        }
        return switch (container) {
            case PyDict dict -> dict.contains(item);
            case DictView view
            when view.kind() == DictView.Kind.KEYS -> view.dict().contains(item);
            case PyRange range when item instanceof Long number -> range.contains(number);
            case null, default -> {
                if (!Types.iterable(container)) {
                    throw Errors.type("argument of type " + Repr.quote(Types.name(container)) + " is not iterable");
                }
                yield search(Types.iterate(container), item, render);
            }
        };
    }

    private static boolean search(Iterator<Object> items, Object item, Render render) {
        while (items.hasNext()) {
            render.step();
            if (same(items.next(), item, render)) {
                return true;
            }
        }
        return false;
    }

    /** Sorts stably with Python's {@code <} on keys, and fails where the keys have no order. */
    static List<Object> sort(List<Object> items, List<Object> keys, boolean reverse, Render render) {
        List<Integer> order = new ArrayList<>(items.size());
        for (int i = 0; i < items.size(); i++) {
            order.add(i);
        }
        Comparator<Integer> comparator = (i, j) -> {
            render.step();
            if (ordered(keys.get(i), keys.get(j), "<", render)) {
                return -1;
            }
            return ordered(keys.get(j), keys.get(i), "<", render) ? 1 : 0;
        };
        try {
            order.sort(reverse ? comparator.reversed() : comparator);
        } catch (IllegalArgumentException e) {
            throw Errors.value("the values to sort have no consistent order");
        }
        List<Object> sorted = new ArrayList<>(items.size());
        order.forEach(i -> sorted.add(items.get(i)));
        return sorted;
    }
}
