package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Filters.put;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The filters that make and change numbers. */
final class NumberFilters {
    private static final Pattern REAL = Pattern.compile(
            "[-+]?(?:(?:\\d+(?:_\\d+)*\\.?(?:\\d+(?:_\\d+)*)?|\\.\\d+(?:_\\d+)*)(?:[eE][-+]?\\d+(?:_\\d+)*)?"
                    + "|(?i:inf|infinity|nan))");
    private static final Pattern DIGITS = Pattern.compile("[0-9a-zA-Z\\p{Nd}]+(?:_[0-9a-zA-Z\\p{Nd}]+)*");

    private NumberFilters() {}

    static void addTo(Map<String, Callable> all) {
        put(all, "abs", 1, "x", (_, a) -> {
            if (!Types.isNumber(a.get(0))) {
                throw Errors.type("bad operand type for abs(): " + Repr.quote(Types.name(a.get(0))));
            }
            return Numbers.absolute(a.get(0));
        });
        put(all, "int", 1, "value default base", (_, a) -> whole(a));
        put(all, "float", 1, "value default", (_, a) -> {
            refuseUndefined(a.get(0));
            return real(a.get(0)).<Object>map(number -> number).orElse(a.get(1, 0.0));
        });
        put(all, "round", 1, "value precision method", (render, a) -> round(a, render));
        put(all, "filesizeformat", 1, "value binary", (_, a) -> fileSize(a));
    }

    private static void refuseUndefined(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
    }

    private static Object whole(Bound a) {
        Object value = a.get(0);
        refuseUndefined(value);
        String text = Str.of(value);
        if (text != null) {
            Optional<BigInteger> parsed = parse(StringLayout.strip(text, null, true, true), base(a));
            if (parsed.isPresent()) {
                return Numbers.normal(parsed.get());
            }
        } else if (Types.isInteger(value)) {
            return Numbers.plain(value);
        }
        Optional<Double> real = real(value);
        if (real.isPresent() && Double.isFinite(real.get())) {
            return Numbers.truncate(real.get());
        }
        if (value instanceof Double number && Double.isInfinite(number)) {
            throw Errors.overflow("cannot convert float infinity to integer");
        }
        return a.get(1, 0L);
    }

    /** The base asked for; one that no number can have where it is not a number itself. */
    private static long base(Bound a) {
        return !a.has(2) || Types.isInteger(a.get(2)) ? a.integer(2, 10) : -1;
    }

    /** Python's {@code int(text, base)}. */
    private static Optional<BigInteger> parse(String text, long base) {
        if (base != 0 && (base < 2 || base > 36)) {
            return Optional.empty();
        }
        boolean negative = text.startsWith("-");
        String digits = negative || text.startsWith("+") ? text.substring(1) : text;
        String prefix = digits.length() > 1 ? digits.substring(0, 2).toLowerCase(Locale.ROOT) : "";
        int marked =
                switch (prefix) {
                    case "0x" -> 16;
                    case "0o" -> 8;
                    case "0b" -> 2;
                    default -> 0;
                };
        int radix = (int) (base == 0 ? marked == 0 ? 10 : marked : base);
        if (marked == radix && marked != 0) {
            digits = digits.substring(digits.startsWith("_", 2) ? 3 : 2);
        } else if (base == 0 && digits.startsWith("0") && !digits.matches("0+(?:_0+)*")) {
            return Optional.empty();
        }
        if (!DIGITS.matcher(digits).matches() || digits.length() > 4300) {
            return Optional.empty();
        }
        try {
            BigInteger number = new BigInteger(digits.replace("_", ""), radix);
            return Optional.of(negative ? number.negate() : number);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Python's {@code float(value)}, empty where it fails. */
    private static Optional<Double> real(Object value) {
        String text = Str.of(value);
        if (text != null) {
            String stripped = StringLayout.strip(text, null, true, true);
            return REAL.matcher(stripped).matches() ? Optional.of(parseReal(stripped)) : Optional.empty();
        }
        return Types.isNumber(value) ? Optional.of(Numbers.real(value)) : Optional.empty();
    }

    private static double parseReal(String text) {
        String lower = text.toLowerCase(Locale.ROOT).replace("_", "");
        boolean negative = lower.startsWith("-");
        if (lower.endsWith("nan")) {
            return Double.NaN;
        }
        return lower.indexOf('i') >= 0
                ? negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY
                : Double.parseDouble(lower);
    }

    private static Object round(Bound a, Render render) {
        String method = Repr.str(a.get(2, "common"), render);
        if (!List.of("common", "ceil", "floor").contains(method)) {
            throw Errors.jinja("method must be common, ceil or floor");
        }
        Object value = a.get(0);
        refuseUndefined(value);
        if (method.equals("common")) {
            if (!Types.isNumber(value)) {
                throw Errors.type("type " + Types.name(value) + " doesn't define __round__ method");
            }
            if (a.has(1) && a.get(1) == null) {
                return value instanceof Double number
                        ? Numbers.truncate((Double) Numbers.round(number, 0))
                        : Numbers.plain(value);
            }
            return Numbers.round(value, a.integer(1, 0));
        }
        Object scale = Operators.binary("**", 10L, a.get(1, 0L), render);
        Object scaled = Operators.binary("*", value, scale, render);
        if (!Types.isNumber(scaled)) {
            throw Errors.type("must be real number, not " + Types.name(scaled));
        }
        Object whole = scaled instanceof Double number
                ? Numbers.truncate(method.equals("ceil") ? Math.ceil(number) : Math.floor(number))
                : scaled;
        return Operators.binary("/", whole, scale, render);
    }

    private static String fileSize(Bound a) {
        refuseUndefined(a.get(0));
        Object value = a.get(0);
        Optional<Double> parsed = real(value);
        if (parsed.isEmpty()) {
            throw Str.of(value) != null
                    ? Errors.value("could not convert string to float: " + Repr.quote(Str.of(value)))
                    : Errors.type(
                            "float() argument must be a string or a real number, not " + Repr.quote(Types.name(value)));
        }
        double bytes = parsed.get();
        boolean binary = a.flag(1, false);
        int base = binary ? 1024 : 1000;
        if (bytes == 1) {
            return "1 Byte";
        }
        if (bytes < base) {
            return Numbers.truncate(bytes) + " Bytes";
        }
        String units = binary ? "KMGTPEZY" : "kMGTPEZY";
        BigDecimal unit = BigDecimal.valueOf(base);
        int last = units.length() - 1;
        int i = 0;
        for (; i <= last; i++) {
            unit = unit.multiply(BigDecimal.valueOf(base));
            if (bytes < unit.doubleValue() || i == last) {
                break;
            }
        }
        double size = base * bytes / unit.doubleValue();
        String digits = Double.isFinite(size) ? FloatFormat.fixed(size, 1, false) : FloatFormat.special(size);
        return digits + " " + units.charAt(i) + (binary ? "iB" : "B");
    }
}
