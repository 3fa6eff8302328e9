package skulk.runner.mlx.template;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Looks up attributes and elements as jinja2/sandbox.py does, without any reflection: only what is listed exists. */
final class Attributes {
    /** What every Python object has and no template may touch. */
    private static final Set<String> INTERNAL = Set.of(
            "__class__",
            "__delattr__",
            "__dict__",
            "__dir__",
            "__doc__",
            "__eq__",
            "__format__",
            "__ge__",
            "__getattribute__",
            "__getstate__",
            "__gt__",
            "__hash__",
            "__init__",
            "__init_subclass__",
            "__le__",
            "__lt__",
            "__module__",
            "__ne__",
            "__new__",
            "__reduce__",
            "__reduce_ex__",
            "__repr__",
            "__setattr__",
            "__sizeof__",
            "__str__",
            "__subclasshook__");

    /** The methods that change a list or dict, which the immutable sandbox refuses. */
    private static final Set<String> LIST_CHANGES =
            Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

    private static final Set<String> DICT_CHANGES = Set.of("clear", "pop", "popitem", "setdefault", "update");

    private Attributes() {}

    /** {@code object.name}: an attribute, else an element. */
    static Object getAttribute(Object object, String name, Render render) {
        if (object instanceof Undefined undefined) {
            throw undefined.failure();
        }
        Object value = attribute(object, name, render);
        if (value == Missing.MISSING && object instanceof PyDict dict) {
            value = dict.get(name);
        }
        return value == Missing.MISSING ? Undefined.member(object, name, render) : value;
    }

    /** {@code object[key]}: an element, else an attribute. */
    static Object getItem(Object object, Object key, Render render) {
        Object value = element(object, key);
        String name = Str.of(key);
        if (value == Missing.MISSING && name != null) {
            value = attribute(object, name, render);
        }
        return value == Missing.MISSING ? Undefined.member(object, key, render) : value;
    }

    /** The element, or {@link Missing#MISSING} where Python has none or does not allow the key. */
    private static Object element(Object object, Object key) {
        return switch (object) {
            case Undefined undefined -> throw undefined.failure();
            case PyDict _ when key instanceof List<?> || key instanceof PyDict -> Missing.MISSING;
            case PyDict dict -> dict.get(key);
            case null -> Missing.MISSING;
            default -> Types.isInteger(key) ? indexed(object, Numbers.index(key)) : Missing.MISSING;
        };
    }

    private static Object indexed(Object object, long index) {
        return switch (object) {
            case List<?> list -> inside(index, list.size()) ? list.get(position(index, list.size())) : Missing.MISSING;
            case PyTuple tuple ->
                inside(index, tuple.size()) ? tuple.items().get(position(index, tuple.size())) : Missing.MISSING;
            case String text -> character(text, index);
            case Markup safe -> character(safe.text(), index) instanceof String c ? new Markup(c) : Missing.MISSING;
            case PyRange range ->
                inside(index, range.size()) ? range.get(position(index, (int) range.size())) : Missing.MISSING;
            default -> Missing.MISSING;
        };
    }

    private static boolean inside(long index, long size) {
        return index >= -size && index < size;
    }

    private static int position(long index, int size) {
        return (int) (index < 0 ? index + size : index);
    }

    private static Object character(String text, long index) {
        int length = Str.length(text);
        if (!inside(index, length)) {
            return Missing.MISSING;
        }
        int position = position(index, length);
        return Str.part(text, position, position + 1);
    }

    /** An attribute in Python's sense, an undefined value where it is unsafe, or {@link Missing#MISSING}. */
    static Object attribute(Object object, String name, Render render) {
        Map<String, Native> methods = methods(object);
        Native method = methods.get(name);
        if (method != null) {
            return object instanceof Markup safe
                    ? MarkupMethods.bind(safe, method)
                    : (Callable) (inner, args) -> method.call(inner, args.prepend(object));
        }
        if (name.startsWith("_")) {
            return INTERNAL.contains(name) ? Undefined.unsafe(object, name) : Missing.MISSING;
        }
        return switch (object) {
            case String text -> StringFormat.method(text, name);
            case Markup safe -> MarkupMethods.special(safe, name);
            case List<?> list when LIST_CHANGES.contains(name) -> Undefined.unsafe(list, name);
            case PyDict dict when DICT_CHANGES.contains(name) -> Undefined.unsafe(dict, name);
            case PyTuple tuple
            when tuple.names().contains(name) -> tuple.items().get(tuple.names().indexOf(name));
            case PyRange range ->
                switch (name) {
                    case "start" -> range.start();
                    case "stop" -> range.stop();
                    case "step" -> range.step();
                    default -> Missing.MISSING;
                };
            case PyObject special -> special.attribute(name, render);
            case null, default -> Types.isNumber(object) ? NumberMethods.property(object, name) : Missing.MISSING;
        };
    }

    private static Map<String, Native> methods(Object object) {
        return switch (object) {
            case String _, Markup _ -> StringMethods.ALL;
            case PyDict _ -> CollectionMethods.DICT;
            case List<?> _ -> CollectionMethods.LIST;
            case PyTuple _, PyRange _ -> CollectionMethods.TUPLE;
            case Long _, Boolean _, java.math.BigInteger _, Double _ -> NumberMethods.ALL;
            case null, default -> Map.of();
        };
    }
}
