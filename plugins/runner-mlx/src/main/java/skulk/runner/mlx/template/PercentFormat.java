package skulk.runner.mlx.template;

import java.math.BigInteger;
import java.util.List;
import java.util.Locale;

/** Python's printf-style formatting, {@code text % values}. */
final class PercentFormat {
    private final String format;
    private final Object values;
    private final boolean safe;
    private final Render render;
    private int position;
    private int used;

    private PercentFormat(String format, Object values, boolean safe, Render render) {
        this.format = format;
        this.values = values;
        this.safe = safe;
        this.render = render;
    }

    static Object format(Object format, Object values, Render render) {
        boolean safe = format instanceof Markup;
        String text = new PercentFormat(Str.of(format), values, safe, render).expand();
        return safe ? new Markup(text) : text;
    }

    /** What stands between the percent sign and the letter. */
    private static final class Field {
        private String flags = "";
        private long width;
        private int precision = -1;

        boolean has(char flag) {
            return flags.indexOf(flag) >= 0;
        }
    }

    private String expand() {
        Text result = new Text(render);
        while (position < format.length()) {
            char c = format.charAt(position++);
            if (c == '%') {
                result.add(field());
            } else {
                result.add(c);
            }
        }
        boolean mapping = values instanceof PyDict
                || values instanceof List<?>
                || values instanceof PyRange
                || values instanceof Undefined;
        int given = values instanceof PyTuple tuple ? tuple.size() : 1;
        if (!mapping && used < given) {
            throw Errors.type("not all arguments converted during string formatting");
        }
        return result.toString();
    }

    private char read() {
        if (position >= format.length()) {
            throw Errors.value("incomplete format");
        }
        return format.charAt(position++);
    }

    private String field() {
        Field field = new Field();
        Object value = Missing.MISSING;
        char c = read();
        if (c == '%') {
            return "%";
        }
        if (c == '(') {
            value = named();
            c = read();
        }
        while ("-+ #0".indexOf(c) >= 0) {
            field.flags += c;
            c = read();
        }
        if (c == '*') {
            field.width = Numbers.index(next());
            if (field.width < 0) {
                field.flags += '-';
                field.width = -field.width;
            }
            c = read();
        }
        for (; c >= '0' && c <= '9'; c = read()) {
            field.width = Math.min(field.width * 10 + c - '0', Integer.MAX_VALUE);
        }
        if (c == '.') {
            field.precision = 0;
            c = read();
            if (c == '*') {
                field.precision = Math.clamp(Numbers.index(next()), 0, Integer.MAX_VALUE);
                c = read();
            }
            for (; c >= '0' && c <= '9'; c = read()) {
                field.precision = (int) Math.min(field.precision * 10L + c - '0', Integer.MAX_VALUE);
            }
            render.length(field.precision);
        }
        while (c == 'l' || c == 'h' || c == 'L') {
            c = read();
        }
        render.length(field.width);
        return convert(field, c, value == Missing.MISSING ? next() : value);
    }

    private Object named() {
        int start = position;
        for (int open = 1; open > 0; ) {
            char c = position < format.length() ? read() : 0;
            if (c == 0) {
                throw Errors.value("incomplete format key");
            }
            open += c == '(' ? 1 : c == ')' ? -1 : 0;
        }
        if (!(values instanceof PyDict dict)) {
            throw Errors.type("format requires a mapping");
        }
        String key = format.substring(start, position - 1);
        Object value = dict.get(key);
        if (value == Missing.MISSING) {
            throw Errors.key(Repr.quote(key));
        }
        used++;
        return value;
    }

    private Object next() {
        int index = used++;
        if (values instanceof PyTuple tuple ? index >= tuple.size() : index > 0) {
            throw Errors.type("not enough arguments for format string");
        }
        return values instanceof PyTuple tuple ? tuple.items().get(index) : values;
    }

    private String convert(Field field, char letter, Object value) {
        return switch (letter) {
            case 's', 'r', 'a' -> {
                Object shown = safe ? MarkupMethods.escapedText(value, render) : value;
                String text = letter == 's' ? Repr.str(shown, render) : Repr.repr(shown, render);
                text = letter == 'a' ? StringFormat.ascii(text) : text;
                yield pad(
                        field,
                        "",
                        field.precision >= 0 && Str.length(text) > field.precision
                                ? Str.part(text, 0, field.precision)
                                : text,
                        false);
            }
            case 'c' -> pad(field, "", character(value), false);
            case 'd', 'i', 'u', 'o', 'x', 'X' -> whole(field, letter, value);
            case 'e', 'E', 'f', 'F', 'g', 'G' -> real(field, letter, value);
            default ->
                throw Errors.value("unsupported format character '" + letter + "' (0x" + Integer.toHexString(letter)
                        + ") at index " + (position - 1));
        };
    }

    /** The character of a code point. */
    static String character(BigInteger code) {
        if (code.signum() < 0 || code.bitLength() > 21 || code.intValue() > Character.MAX_CODE_POINT) {
            throw Errors.overflow("%c arg not in range(0x110000)");
        }
        return Character.toString(code.intValue());
    }

    private static String character(Object value) {
        if (Types.isInteger(value)) {
            return character(Numbers.big(value));
        }
        if (Types.isString(value) && Str.length(Str.of(value)) == 1) {
            return Str.of(value);
        }
        throw Errors.type("%c requires int or char");
    }

    private String whole(Field field, char letter, Object value) {
        boolean decimal = letter == 'd' || letter == 'i' || letter == 'u';
        if (!Types.isNumber(value) || !decimal && value instanceof Double) {
            throw Errors.type("%" + letter + " format: " + (decimal ? "a real number" : "an integer")
                    + " is required, not " + Types.name(value));
        }
        BigInteger number = Numbers.big(value instanceof Double real ? Numbers.truncate(real) : value);
        int radix = decimal ? 10 : letter == 'o' ? 8 : 16;
        String digits = number.abs().toString(radix);
        String prefix = decimal || !field.has('#') ? "" : "0" + letter;
        if (digits.length() < field.precision) {
            digits = "0".repeat(field.precision - digits.length()) + digits;
        }
        return signed(field, number.signum() < 0, prefix, letter == 'X' ? digits.toUpperCase(Locale.ROOT) : digits);
    }

    private String real(Field field, char letter, Object value) {
        if (!Types.isNumber(value)) {
            throw Errors.type("must be real number, not " + Types.name(value));
        }
        double number = Numbers.real(value);
        int precision = field.precision < 0 ? 6 : field.precision;
        boolean alternate = field.has('#');
        String digits = !Double.isFinite(number)
                ? FloatFormat.special(Math.abs(number))
                : switch (Character.toLowerCase(letter)) {
                    case 'f' -> FloatFormat.fixed(number, precision, alternate);
                    case 'e' -> FloatFormat.scientific(number, precision, alternate);
                    default -> FloatFormat.general(number, precision, alternate);
                };
        boolean negative = number < 0 || number == 0 && 1 / number < 0;
        return signed(field, negative, "", Character.isUpperCase(letter) ? digits.toUpperCase(Locale.ROOT) : digits);
    }

    private String signed(Field field, boolean negative, String prefix, String digits) {
        String sign = negative ? "-" : field.has('+') ? "+" : field.has(' ') ? " " : "";
        return pad(field, sign + prefix, digits, field.has('0') && !field.has('-'));
    }

    private String pad(Field field, String sign, String body, boolean zeros) {
        long missing = field.width - Str.length(sign) - Str.length(body);
        Text text = new Text(render);
        if (field.has('-')) {
            return text.add(sign).add(body).repeat(" ", missing).toString();
        }
        return zeros
                ? text.add(sign).repeat("0", missing).add(body).toString()
                : text.repeat(" ", missing).add(sign).add(body).toString();
    }
}
