package skulk.runner.mlx.template;

import java.math.BigInteger;
import java.util.List;

/** Python's {@code str()} and {@code repr()}. */
final class Repr {
    /** Python refuses to print longer whole numbers. */
    private static final int MAX_DIGITS = 4300;

    private Repr() {}

    static String str(Object value, Render render) {
        return switch (value) {
            case String text -> text;
            case Markup safe -> safe.text();
            case Undefined _ -> "";
            case null, default -> repr(value, render);
        };
    }

    static String repr(Object value, Render render) {
        return switch (value) {
            case null -> "None";
            case Boolean flag -> flag ? "True" : "False";
            case Long number -> Long.toString(number);
            case BigInteger number -> integer(number);
            case Double number -> FloatFormat.repr(number);
            default -> {
                Text text = new Text(render);
                append(value, text, render);
                yield text.toString();
            }
        };
    }

    private static String integer(BigInteger number) {
        String digits = number.bitLength() > MAX_DIGITS * 4 ? null : number.toString();
        if (digits == null || digits.length() > MAX_DIGITS + (number.signum() < 0 ? 1 : 0)) {
            throw Errors.value("Exceeds the limit (" + MAX_DIGITS + " digits) for integer string conversion");
        }
        return digits;
    }

    private static void append(Object value, Text text, Render render) {
        render.enter();
        try {
            switch (value) {
                case String string -> quote(string, text);
                case Markup safe -> {
                    text.add("Markup(");
                    quote(safe.text(), text);
                    text.add(")");
                }
                case List<?> list -> elements(list, "[", "]", text, render);
                case PyTuple tuple -> elements(tuple.items(), "(", tuple.size() == 1 ? ",)" : ")", text, render);
                case PyDict dict -> dict(dict, text, render);
                case DictView view -> {
                    text.add(view.typeName()).add("(");
                    elements(view.list(), "[", "])", text, render);
                }
                case PyRange range -> text.add(range.toString());
                case Undefined _ -> text.add("Undefined");
                case PyIterator iterator -> text.add("<" + iterator.typeName() + " object>");
                case PyObject object -> text.add(object.display(render));
                case Native function -> text.add("<function " + function.name() + ">");
                case Callable _ -> text.add("<function>");
                case null, default -> text.add(repr(value, render));
            }
        } finally {
            render.leave();
        }
    }

    private static void elements(List<?> items, String open, String close, Text text, Render render) {
        text.add(open);
        boolean first = true;
        for (Object item : items) {
            render.step();
            text.add(first ? "" : ", ");
            append(item, text, render);
            first = false;
        }
        text.add(close);
    }

    private static void dict(PyDict dict, Text text, Render render) {
        text.add("{");
        boolean first = true;
        for (Object key : dict.keys()) {
            render.step();
            text.add(first ? "" : ", ");
            append(key, text, render);
            text.add(": ");
            append(dict.get(key), text, render);
            first = false;
        }
        text.add("}");
    }

    /** A short string as Python writes it, for messages. */
    static String quote(String string) {
        StringBuilder quoted = new StringBuilder();
        char quote = quoteFor(string);
        quoted.append(quote);
        string.codePoints().forEach(c -> quoted.append(escape(c, quote)));
        return quoted.append(quote).toString();
    }

    private static void quote(String string, Text text) {
        char quote = quoteFor(string);
        text.add(quote);
        for (int i = 0; i < string.length(); ) {
            int c = string.codePointAt(i);
            text.add(escape(c, quote));
            i += Character.charCount(c);
        }
        text.add(quote);
    }

    private static char quoteFor(String string) {
        return string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    }

    private static String escape(int c, char quote) {
        return switch (c) {
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> {
                if (c == quote) {
                    yield "\\" + quote;
                }
                yield printable(c) ? Character.toString(c) : hex(c);
            }
        };
    }

    /** The escape of a character that is not printable. */
    static String hex(int c) {
        return c < 0x100 ? "\\x%02x".formatted(c) : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c);
    }

    /** {@code str.isprintable} of one character. */
    static boolean printable(int c) {
        if (c >= 0x20 && c < 0x7f) {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }
}
