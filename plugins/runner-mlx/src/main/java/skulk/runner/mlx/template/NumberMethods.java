package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Native.method;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Map;

/** The few attributes of numbers that a template can have a use for. */
final class NumberMethods {
    static final Map<String, Native> ALL = Map.of(
            "bit_length",
                    method("bit_length", 1, "self", (_, a) ->
                            (long) whole(a, "bit_length").abs().bitLength()),
            "bit_count",
                    method("bit_count", 1, "self", (_, a) ->
                            (long) whole(a, "bit_count").abs().bitCount()),
            "conjugate", method("conjugate", 1, "self", (_, a) -> Numbers.plain(a.get(0))),
            "is_integer",
                    method("is_integer", 1, "self", (_, a) -> {
                        if (!(a.get(0) instanceof Double number)) {
                            throw Undefined.member(a.get(0), "is_integer", null).failure();
                        }
                        return Double.isFinite(number) && number == Math.rint(number);
                    }),
            "as_integer_ratio", method("as_integer_ratio", 1, "self", (_, a) -> ratio(a.get(0))));

    private NumberMethods() {}

    static Object property(Object number, String name) {
        boolean real = number instanceof Double;
        return switch (name) {
            case "real" -> Numbers.plain(number);
            case "imag" -> real ? (Object) 0.0 : (Object) 0L;
            case "numerator" -> real ? Missing.MISSING : Numbers.plain(number);
            case "denominator" -> real ? Missing.MISSING : (Object) 1L;
            default -> Missing.MISSING;
        };
    }

    private static BigInteger whole(Bound a, String name) {
        if (a.get(0) instanceof Double) {
            throw Undefined.member(a.get(0), name, null).failure();
        }
        return Numbers.big(a.get(0));
    }

    private static Object ratio(Object value) {
        if (!(value instanceof Double number)) {
            return PyTuple.of(Numbers.plain(value), 1L);
        }
        if (!Double.isFinite(number)) {
            throw Errors.overflow("cannot convert Infinity or NaN to integer ratio");
        }
        BigDecimal exact = new BigDecimal(number);
        BigInteger denominator = BigInteger.TEN.pow(Math.max(0, exact.scale()));
        BigInteger numerator = exact.multiply(new BigDecimal(denominator)).toBigIntegerExact();
        BigInteger divisor = numerator.gcd(denominator);
        return PyTuple.of(Numbers.normal(numerator.divide(divisor)), Numbers.normal(denominator.divide(divisor)));
    }
}
