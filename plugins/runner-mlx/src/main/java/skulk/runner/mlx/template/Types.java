package skulk.runner.mlx.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/** What Python knows of any value: the name of its type, truth, length, elements. */
final class Types {
    private Types() {}

    static String name(Object value) {
        return switch (value) {
            case null -> "NoneType";
            case String _ -> "str";
            case Markup _ -> "Markup";
            case Boolean _ -> "bool";
            case Long _, BigInteger _ -> "int";
            case Double _ -> "float";
            case List<?> _ -> "list";
            case PyTuple tuple -> tuple.names().isEmpty() ? "tuple" : "_GroupTuple";
            case PyDict _ -> "dict";
            case PyRange _ -> "range";
            case DictView view -> view.typeName();
            case PyIterator iterator -> iterator.typeName();
            case Undefined _ -> "Undefined";
            case PyObject object -> object.typeName();
            case Callable _ -> "function";
            default -> throw new IllegalStateException("not a template value: " + value.getClass());
        };
    }

    static String qualifiedName(Object value) {
        return switch (value) {
            case PyObject object -> object.qualifiedName();
            case Markup _ -> "markupsafe.Markup";
            case Undefined _ -> "jinja2.runtime.Undefined";
            case null, default -> name(value);
        };
    }

    static boolean truthy(Object value) {
        return switch (value) {
            case null -> false;
            case Boolean flag -> flag;
            case String text -> !text.isEmpty();
            case Long number -> number != 0;
            case Undefined _ -> false;
            case List<?> list -> !list.isEmpty();
            case PyDict dict -> dict.size() > 0;
            case Double number -> number != 0;
            case PyTuple tuple -> tuple.size() > 0;
            case Markup safe -> !safe.text().isEmpty();
            case PyRange range -> range.size() > 0;
            case DictView view -> view.dict().size() > 0;
            case LoopContext loop -> loop.length() > 0;
            default -> true;
        };
    }

    static Object length(Object value) {
        return switch (value) {
            case String text -> (long) Str.length(text);
            case Markup safe -> (long) Str.length(safe.text());
            case List<?> list -> (long) list.size();
            case PyDict dict -> (long) dict.size();
            case PyTuple tuple -> (long) tuple.size();
            case PyRange range -> range.size();
            case DictView view -> (long) view.dict().size();
            case Undefined _ -> 0L;
            case LoopContext loop -> loop.length();
            case null, default -> throw Errors.type("object of type " + Repr.quote(name(value)) + " has no len()");
        };
    }

    static boolean iterable(Object value) {
        return switch (value) {
            case String _, Markup _, Undefined _, PyTuple _, PyDict _, PyRange _, DictView _, PyIterator _ -> true;
            case List<?> _, LoopContext _ -> true;
            case null, default -> false;
        };
    }

    @SuppressWarnings("unchecked")
    static Iterator<Object> iterate(Object value) {
        return switch (value) {
            case List<?> list -> (Iterator<Object>) list.iterator();
            case PyTuple tuple -> tuple.items().iterator();
            case PyDict dict -> dict.keys().iterator();
            case DictView view -> view.list().iterator();
            case PyRange range -> range.iterator();
            case PyIterator iterator -> iterator.source();
            case String text -> Str.characters(text);
            case Markup safe -> Str.characters(safe.text());
            case LoopContext loop -> loop.rest();
            case Undefined _ -> Collections.emptyIterator();
            case null, default -> throw Errors.type(Repr.quote(name(value)) + " object is not iterable");
        };
    }

    /** The elements as a list of its own, each charged for. */
    static List<Object> list(Object value, Render render) {
        if (value instanceof List<?> list) {
            render.steps(list.size());
            render.elements(list.size());
            return new ArrayList<>(list);
        }
        List<Object> all = new ArrayList<>();
        for (Iterator<Object> items = iterate(value); items.hasNext(); ) {
            render.elements(1);
            all.add(items.next());
        }
        return all;
    }

    /** The elements from last to first; fails where Python's {@code reversed} does. */
    static Iterator<Object> reversed(Object value, Render render) {
        return switch (value) {
            case PyRange range -> range.reversed().iterator();
            case String _, Markup _, Undefined _, PyTuple _, PyDict _, DictView _, List<?> _ ->
                list(value, render).reversed().iterator();
            case null, default -> throw Errors.type(Repr.quote(name(value)) + " object is not reversible");
        };
    }

    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
    }

    static boolean isNumber(Object value) {
        return isInteger(value) || value instanceof Double;
    }

    static boolean isString(Object value) {
        return value instanceof String || value instanceof Markup;
    }

    static boolean isCallable(Object value) {
        return value instanceof Callable || value instanceof Undefined;
    }
}
