package skulk.api.json;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * A JSON number, kept as the literal it was written with.
 *
 * @param literal a number by the grammar of RFC 8259 section 6
 */
public record JsonNumber(String literal) implements Json {

    /** From here on Java writes an exponent, which nobody reads in a time or a count of bytes. */
    private static final double EXPONENT = 1e7;

    private static final double LARGE = 1e15;

    /** The number of a Java value; NaN and infinities, which JSON cannot carry, become null. */
    public static Json of(Number value) {
        return switch (value) {
            case Double d when !Double.isFinite(d) -> Json.NULL;
            case Float f when !Float.isFinite(f) -> Json.NULL;
            case Double d
            when Math.abs(d) >= EXPONENT && Math.abs(d) < LARGE ->
                new JsonNumber(BigDecimal.valueOf(d).toPlainString());
            default -> new JsonNumber(value.toString());
        };
    }

    /** Whether the value is integral and fits 64 bits ({@code 1.0} and {@code 1e3} count). */
    public boolean isLong() {
        try {
            toLong();
            return true;
        } catch (ArithmeticException e) {
            return false;
        }
    }

    /**
     * The value as a 64-bit integer.
     *
     * @throws ArithmeticException where it has a fraction or does not fit
     */
    public long toLong() {
        if (literal.length() < 19 && literal.chars().allMatch(c -> c == '-' || (c >= '0' && c <= '9'))) {
            return Long.parseLong(literal);
        }
        BigDecimal value = new BigDecimal(literal);
        // a huge exponent would make the exact conversion allocate its digits
        if (value.precision() - (long) value.scale() > 20) {
            throw new ArithmeticException("Overflow");
        }
        return value.longValueExact();
    }

    /** The value as the nearest double. */
    public double toDouble() {
        return Double.parseDouble(literal);
    }

    /** Long where the literal is an integer of 64 bits, BigInteger where it is a longer one, Double otherwise. */
    public Number toNumber() {
        if (literal.indexOf('.') < 0 && literal.indexOf('e') < 0 && literal.indexOf('E') < 0) {
            BigInteger value = new BigInteger(literal);
            if (value.bitLength() < 64) {
                return value.longValue();
            }
            return value;
        }
        return toDouble();
    }

    @Override
    public String toString() {
        return literal;
    }
}
