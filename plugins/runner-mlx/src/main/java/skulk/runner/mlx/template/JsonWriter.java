package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;

/** Hugging Face's filter {@code tojson}: {@code json.dumps} with ensure_ascii off. */
final class JsonWriter {
    private final Render render;
    private final Text text;
    private final boolean ascii;
    private final boolean sorted;
    /** What one level is indented by; null where everything stands on one line. */
    private final String indent;

    private final String itemSeparator;
    private final String keySeparator;
    private int level;

    JsonWriter(Bound a, Render render) {
        this.render = render;
        this.text = new Text(render);
        this.ascii = a.flag(1, false);
        this.indent = !a.given(2)
                ? null
                : Types.isString(a.get(2))
                        ? a.text(2)
                        : new Text(render).repeat(" ", a.integer(2, 0)).toString();
        List<Object> separators =
                a.given(3) ? Types.list(a.get(3), render) : List.of(indent == null ? ", " : ",", ": ");
        if (separators.size() != 2) {
            throw Errors.value("separators must be two strings");
        }
        this.itemSeparator = Repr.str(separators.get(0), render);
        this.keySeparator = Repr.str(separators.get(1), render);
        this.sorted = a.flag(4, false);
    }

    String write(Object value) {
        append(value);
        return text.toString();
    }

    private void append(Object value) {
        switch (value) {
            case null -> text.add("null");
            case Boolean flag -> text.add(flag ? "true" : "false");
            case Double number -> text.add(real(number));
            case List<?> list -> array(list);
            case PyTuple tuple -> array(tuple.items());
            case PyDict dict -> object(dict);
            default -> {
                String string = Str.of(value);
                if (string != null) {
                    string(string);
                } else if (Types.isInteger(value)) {
                    text.add(Repr.repr(value, render));
                } else {
                    throw Errors.type("Object of type " + Types.name(value) + " is not JSON serializable");
                }
            }
        }
    }

    private static String real(double number) {
        if (Double.isFinite(number)) {
            return FloatFormat.repr(number);
        }
        return Double.isNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    }

    private void array(List<?> items) {
        if (items.isEmpty()) {
            text.add("[]");
            return;
        }
        open("[");
        boolean first = true;
        for (Object item : items) {
            next(first);
            append(item);
            first = false;
        }
        close("]");
    }

    private void object(PyDict dict) {
        if (dict.size() == 0) {
            text.add("{}");
            return;
        }
        open("{");
        boolean first = true;
        List<Object> keys = dict.keys();
        for (Object key : sorted ? Compare.sort(keys, new ArrayList<>(keys), false, render) : keys) {
            next(first);
            string(key(key));
            text.add(keySeparator);
            append(dict.get(key));
            first = false;
        }
        close("}");
    }

    private String key(Object key) {
        return switch (key) {
            case null -> "null";
            case Boolean flag -> flag ? "true" : "false";
            case Double number -> real(number);
            default -> {
                String string = Str.of(key);
                if (string == null && !Types.isInteger(key)) {
                    throw Errors.type("keys must be str, int, float, bool or None, not " + Types.name(key));
                }
                yield string == null ? Repr.repr(key, render) : string;
            }
        };
    }

    private void open(String bracket) {
        render.enter();
        text.add(bracket);
        level++;
    }

    private void next(boolean first) {
        render.step();
        text.add(first ? "" : itemSeparator);
        newLine();
    }

    private void newLine() {
        if (indent != null) {
            text.add("\n").repeat(indent, level);
        }
    }

    private void close(String bracket) {
        level--;
        newLine();
        text.add(bracket);
        render.leave();
    }

    private void string(String string) {
        text.add('"');
        int from = 0;
        for (int i = 0; i < string.length(); i++) {
            String escape = escape(string.charAt(i));
            if (escape != null) {
                text.add(string, from, i).add(escape);
                from = i + 1;
            }
        }
        text.add(string, from, string.length()).add('"');
    }

    /** The escape of a char, null where it stands for itself. */
    private String escape(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\f' -> "\\f";
            case '\b' -> "\\b";
            default -> c < 0x20 || ascii && c > 0x7e ? "\\u%04x".formatted((int) c) : null;
        };
    }
}
