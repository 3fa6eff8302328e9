package skulk.runner.mlx.template;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's format specification mini-language. */
final class FormatSpec {
    private static final Pattern SPEC = Pattern.compile(
            "(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d+)?([,_])?(?:\\.(\\d+))?([a-zA-Z%])?", Pattern.DOTALL);

    private final Matcher spec;
    private final Object value;
    private final Render render;

    private FormatSpec(Matcher spec, Object value, Render render) {
        this.spec = spec;
        this.value = value;
        this.render = render;
    }

    static String format(Object value, String spec, Render render) {
        if (spec.isEmpty()) {
            return Repr.str(value, render);
        }
        if (!Types.isString(value) && !Types.isNumber(value)) {
            throw Errors.type("unsupported format string passed to " + Types.name(value) + ".__format__");
        }
        Matcher matcher = SPEC.matcher(spec);
        if (!matcher.matches()) {
            throw Errors.value(
                    "Invalid format specifier '" + spec + "' for object of type " + Repr.quote(Types.name(value)));
        }
        return new FormatSpec(matcher, value, render).format();
    }

    private String format() {
        char type = spec.group(10) == null ? ' ' : spec.group(10).charAt(0);
        if (Types.isString(value)) {
            return text(type);
        }
        Object number = Numbers.plain(value);
        boolean real = number instanceof Double || "eEfFgG%".indexOf(type) >= 0;
        if (real ? "eEfFgGn% ".indexOf(type) < 0 : "bcdoxXn ".indexOf(type) < 0) {
            throw unknown(type);
        }
        return real ? real(Numbers.real(number), type) : whole(Numbers.big(number), type);
    }

    private TemplateRenderException unknown(char type) {
        return Errors.value("Unknown format code '" + type + "' for object of type " + Repr.quote(Types.name(value)));
    }

    private String text(char type) {
        if (type != 's' && type != ' ') {
            throw unknown(type);
        }
        if (spec.group(3) != null || "=".equals(spec.group(2)) || spec.group(8) != null) {
            throw Errors.value("Sign, '=' alignment or ',' not allowed in string format specifier");
        }
        String text = Str.of(value);
        int most = precision(Integer.MAX_VALUE);
        String cut = Str.length(text) > most ? Str.part(text, 0, most) : text;
        return align("", cut, '<');
    }

    private int precision(int otherwise) {
        return number(spec.group(9), otherwise);
    }

    private int number(String digits, int otherwise) {
        if (digits == null) {
            return otherwise;
        }
        if (digits.length() > 9) {
            throw Errors.value("Too many decimal digits in format string");
        }
        int number = Integer.parseInt(digits);
        render.length(number);
        return number;
    }

    private String whole(BigInteger number, char type) {
        if (spec.group(9) != null) {
            throw Errors.value("Precision not allowed in integer format specifier");
        }
        if (type == 'c') {
            return align("", PercentFormat.character(number), '<');
        }
        int radix =
                switch (type) {
                    case 'b' -> 2;
                    case 'o' -> 8;
                    case 'x', 'X' -> 16;
                    default -> 10;
                };
        String digits = number.abs().toString(radix);
        String prefix = spec.group(5) == null || radix == 10 ? "" : "0" + type;
        return number(
                number.signum() < 0,
                prefix,
                type == 'X' ? digits.toUpperCase(Locale.ROOT) : digits,
                radix == 10 ? 3 : 4);
    }

    private String real(double number, char type) {
        boolean negative = number < 0 || number == 0 && 1 / number < 0;
        boolean alternate = spec.group(5) != null;
        String digits;
        if (!Double.isFinite(number)) {
            digits = FloatFormat.special(Math.abs(number)) + (type == '%' ? "%" : "");
        } else {
            digits = switch (type) {
                case 'f', 'F' -> FloatFormat.fixed(number, precision(6), alternate);
                case 'e', 'E' -> FloatFormat.scientific(number, precision(6), alternate);
                case 'g', 'G', 'n' -> FloatFormat.general(number, precision(6), alternate);
                case '%' -> FloatFormat.fixed(number * 100, precision(6), alternate) + "%";
                default -> plain(number, alternate);
            };
        }
        if (spec.group(4) != null && digits.chars().noneMatch(c -> c >= '1' && c <= '9')) {
            negative = false;
        }
        boolean upper = type == 'E' || type == 'F' || type == 'G';
        return number(negative && !Double.isNaN(number), "", upper ? digits.toUpperCase(Locale.ROOT) : digits, 3);
    }

    /** No type at all: like repr, or like g with at least one digit behind the point. */
    private String plain(double number, boolean alternate) {
        if (spec.group(9) == null) {
            return FloatFormat.repr(Math.abs(number));
        }
        int precision = Math.max(1, precision(6));
        String text = FloatFormat.general(number, precision, alternate);
        if (text.indexOf('.') >= 0 || text.indexOf('e') >= 0) {
            return text;
        }
        // str() keeps a point where there is room for it, and turns to an exponent one digit earlier than g
        return text.length() < precision
                ? text + ".0"
                : FloatFormat.scientific(number, precision - 1, alternate).replaceFirst("\\.?0+e", "e");
    }

    private String number(boolean negative, String prefix, String digits, int group) {
        String sign = negative ? "-" : "+".equals(spec.group(3)) ? "+" : " ".equals(spec.group(3)) ? " " : "";
        boolean finite = Character.digit(digits.charAt(0), 16) >= 0;
        String separator = finite ? spec.group(8) : null;
        int end = 0;
        while (end < digits.length() && Character.isLetterOrDigit(digits.charAt(end)) && !exponentAt(digits, end)) {
            end++;
        }
        String whole = digits.substring(0, end);
        String rest = digits.substring(end);
        boolean zeros = spec.group(6) != null && spec.group(2) == null
                || "0".equals(spec.group(1)) && "=".equals(spec.group(2));
        if (zeros) {
            int width = number(spec.group(7), 0) - sign.length() - prefix.length() - rest.length();
            whole = zeroFill(whole, separator, group, width);
        } else {
            whole = grouped(whole, separator, group);
        }
        return align(sign + prefix, whole + rest, '>');
    }

    private static boolean exponentAt(String digits, int index) {
        return digits.charAt(index) == 'e'
                && index + 1 < digits.length()
                && "+-".indexOf(digits.charAt(index + 1)) >= 0;
    }

    private static String grouped(String digits, String separator, int group) {
        if (separator == null) {
            return digits;
        }
        StringBuilder result = new StringBuilder(digits);
        for (int i = digits.length() - group; i > 0; i -= group) {
            result.insert(i, separator);
        }
        return result.toString();
    }

    private static String zeroFill(String digits, String separator, int group, int width) {
        StringBuilder filled = new StringBuilder(digits);
        while (grouped(filled.toString(), separator, group).length() < width) {
            filled.insert(0, separator == null ? "0".repeat(width - filled.length()) : "0");
        }
        return grouped(filled.toString(), separator, group);
    }

    private String align(String sign, String body, char otherwise) {
        int width = number(spec.group(7), 0);
        boolean zero = spec.group(6) != null && spec.group(2) == null;
        String fill = spec.group(1) != null ? spec.group(1) : spec.group(6) != null ? "0" : " ";
        char align = spec.group(2) != null ? spec.group(2).charAt(0) : zero && otherwise == '>' ? '=' : otherwise;
        long missing = Math.max(0, (long) width - Str.length(sign) - Str.length(body));
        long left =
                switch (align) {
                    case '<', '=' -> 0;
                    case '^' -> missing / 2;
                    default -> missing;
                };
        Text text = new Text(render);
        if (align == '=') {
            return text.add(sign).repeat(fill, missing).add(body).toString();
        }
        return text.repeat(fill, left)
                .add(sign)
                .add(body)
                .repeat(fill, missing - left)
                .toString();
    }
}
