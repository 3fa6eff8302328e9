package skulk.runner.mlx.template;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/** The tests behind {@code is}. */
final class Tests {
    static final Map<String, Callable> ALL = all();

    private Tests() {}

    private static Map<String, Callable> all() {
        Map<String, Callable> all = new HashMap<>();
        test(all, "defined", value -> !(value instanceof Undefined));
        test(all, "undefined", value -> value instanceof Undefined);
        test(all, "none", value -> value == null);
        test(all, "boolean", value -> value instanceof Boolean);
        test(all, "true", value -> value instanceof Boolean flag && flag);
        test(all, "false", value -> value instanceof Boolean flag && !flag);
        test(all, "integer", value -> Types.isInteger(value) && !(value instanceof Boolean));
        test(all, "float", value -> value instanceof Double);
        test(all, "number", Types::isNumber);
        test(all, "string", Types::isString);
        test(all, "mapping", value -> value instanceof PyDict);
        test(all, "iterable", Types::iterable);
        test(all, "sequence", Tests::isSequence);
        test(all, "callable", Types::isCallable);
        test(all, "escaped", value -> value instanceof Markup);
        put(all, "lower", "value", (render, a) -> StringMethods.isLower(Repr.str(a.get(0), render)));
        put(all, "upper", "value", (render, a) -> StringMethods.isUpper(Repr.str(a.get(0), render)));
        put(all, "odd", "value", (render, a) -> divides(a.get(0), 2L, 1L, render));
        put(all, "even", "value", (render, a) -> divides(a.get(0), 2L, 0L, render));
        put(all, "divisibleby", "value num", (render, a) -> divides(a.get(0), a.get(1), 0L, render));
        put(all, "sameas", "value other", (_, a) -> same(a.get(0), a.get(1)));
        put(all, "in", "value seq", (render, a) -> Compare.contains(a.get(1), a.get(0), render));
        put(all, "filter", "value", (_, a) -> Filters.ALL.containsKey(name(a.get(0))));
        put(all, "test", "value", (_, a) -> all.containsKey(name(a.get(0))));
        compare(all, "==", "==", "eq", "equalto");
        compare(all, "!=", "!=", "ne");
        compare(all, ">", ">", "gt", "greaterthan");
        compare(all, ">=", ">=", "ge");
        compare(all, "<", "<", "lt", "lessthan");
        compare(all, "<=", "<=", "le");
        return Map.copyOf(all);
    }

    private static void put(Map<String, Callable> all, String name, String parameters, Native.Body body) {
        all.put(name, Native.function("test_" + name, parameters.split(" ").length, parameters, body));
    }

    private static void test(Map<String, Callable> all, String name, Predicate<Object> test) {
        put(all, name, "value", (_, a) -> test.test(a.get(0)));
    }

    private static void compare(Map<String, Callable> all, String operator, String... names) {
        for (String name : names) {
            put(all, name, "a b", (render, a) -> Operators.compare(operator, a.get(0), a.get(1), render));
        }
    }

    private static boolean divides(Object value, Object number, Object rest, Render render) {
        return Compare.equal(Operators.binary("%", value, number, render), rest, render);
    }

    private static boolean isSequence(Object value) {
        return switch (value) {
            case java.util.List<?> _, PyTuple _, PyDict _, PyRange _, Undefined _ -> true;
            case null, default -> Types.isString(value);
        };
    }

    /** Identity; equal whole numbers, floats and strings stand for one object, as they mostly are in Python. */
    private static boolean same(Object a, Object b) {
        if (a instanceof Long || a instanceof Boolean || a instanceof String || a instanceof Double) {
            return a.equals(b);
        }
        return a == b;
    }

    private static String name(Object value) {
        if (value instanceof java.util.List<?> || value instanceof PyDict) {
            HashKey.of(value);
        }
        String name = Str.of(value);
        return name == null ? "" : name;
    }
}
