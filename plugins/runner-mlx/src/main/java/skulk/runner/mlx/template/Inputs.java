package skulk.runner.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Turns the caller's values into the template's own: every whole number a Long or BigInteger, every map a dict. */
final class Inputs {
    private Inputs() {}

    /**
     * @param path where the value is, for the error
     * @param depth how deeply it may be nested
     */
    static Object convert(String path, Object value, int depth) {
        if (depth < 0) {
            throw Errors.limit("the context value " + path + " is nested too deeply");
        }
        return switch (value) {
            case null -> null;
            case String text -> text;
            case Boolean flag -> flag;
            case Map<?, ?> map -> dict(path, map, depth);
            case Collection<?> items -> list(path, items, depth);
            case Long number -> number;
            case Integer number -> number.longValue();
            case Short number -> number.longValue();
            case Byte number -> number.longValue();
            case Double number -> number;
            case Float number -> number.doubleValue();
            case BigInteger number -> Numbers.normal(number);
            case BigDecimal number when number.scale() == 0 -> Numbers.normal(number.unscaledValue());
            case BigDecimal number -> number.doubleValue();
            case CharSequence text -> text.toString();
            default ->
                throw Errors.type("the context value " + path + " has the unsupported type "
                        + value.getClass().getName());
        };
    }

    private static PyDict dict(String path, Map<?, ?> map, int depth) {
        PyDict dict = new PyDict();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            Object key = convert(path, entry.getKey(), depth - 1);
            Object value = entry.getValue();
            dict.put(key, value instanceof String ? value : convert(path + "." + key, value, depth - 1));
        }
        return dict;
    }

    private static List<Object> list(String path, Collection<?> items, int depth) {
        List<Object> list = new ArrayList<>(items.size());
        for (Object item : items) {
            list.add(item instanceof String ? item : convert(path + "[" + list.size() + "]", item, depth - 1));
        }
        return list;
    }
}
