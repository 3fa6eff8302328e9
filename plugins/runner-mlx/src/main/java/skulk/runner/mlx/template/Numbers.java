package skulk.runner.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Python's arithmetic: whole numbers of any size, division that floors, floats as IEEE doubles. */
final class Numbers {
    /** Bits a whole number may have; far above any use in a template, small enough to multiply quickly. */
    private static final int MAX_BITS = 1 << 17;

    private Numbers() {}

    /** The one representation of a whole number: a Long where it fits. */
    static Object normal(BigInteger value) {
        return value.bitLength() < 64 ? (Object) value.longValue() : value;
    }

    static BigInteger big(Object value) {
        return switch (value) {
            case BigInteger number -> number;
            case Long number -> BigInteger.valueOf(number);
            case Boolean flag -> flag ? BigInteger.ONE : BigInteger.ZERO;
            default -> throw new IllegalStateException("not a whole number");
        };
    }

    /** A number as a Long, BigInteger or Double: booleans count as 0 and 1. */
    static Object plain(Object value) {
        return value instanceof Boolean flag ? (Object) (flag ? 1L : 0L) : value;
    }

    static double real(Object value) {
        return switch (value) {
            case Double number -> number;
            case Long number -> number;
            case Boolean flag -> flag ? 1 : 0;
            case BigInteger number -> {
                double real = number.doubleValue();
                if (Double.isInfinite(real)) {
                    throw Errors.overflow("int too large to convert to float");
                }
                yield real;
            }
            default -> throw new IllegalStateException("not a number");
        };
    }

    /** A value used where Python wants an index: whole numbers only. */
    static long index(Object value) {
        return switch (value) {
            case Long number -> number;
            case Boolean flag -> flag ? 1 : 0;
            case BigInteger number -> Bound.clamp(number);
            case null, default ->
                throw Errors.type(Repr.quote(Types.name(value)) + " object cannot be interpreted as an integer");
        };
    }

    static Object add(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            return real(a) + real(b);
        }
        if (a instanceof Long x && b instanceof Long y) {
            long sum = x + y;
            if (((x ^ sum) & (y ^ sum)) >= 0) {
                return sum;
            }
        }
        return checked(big(a).add(big(b)));
    }

    static Object subtract(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            return real(a) - real(b);
        }
        return checked(big(a).subtract(big(b)));
    }

    static Object multiply(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            return real(a) * real(b);
        }
        return checked(big(a).multiply(big(b)));
    }

    private static Object checked(BigInteger value) {
        if (value.bitLength() > MAX_BITS) {
            throw Errors.limit("the template computed a number of more than " + MAX_BITS + " bits");
        }
        return normal(value);
    }

    static Object divide(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            double divisor = real(b);
            if (divisor == 0) {
                throw Errors.zeroDivision("float division by zero");
            }
            return real(a) / divisor;
        }
        BigInteger divisor = big(b);
        if (divisor.signum() == 0) {
            throw Errors.zeroDivision("division by zero");
        }
        if (big(a).signum() == 0) {
            return divisor.signum() < 0 ? -0.0 : 0.0;
        }
        double quotient = new BigDecimal(big(a))
                .divide(new BigDecimal(divisor), new MathContext(60, RoundingMode.HALF_EVEN))
                .doubleValue();
        if (Double.isInfinite(quotient)) {
            throw Errors.overflow("integer division result too large for a float");
        }
        return quotient;
    }

    static Object floorDivide(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            double x = real(a);
            double y = real(b);
            if (y == 0) {
                throw Errors.zeroDivision("float floor division by zero");
            }
            double modulo = modulo(x, y);
            double quotient = (x - modulo) / y;
            if (quotient == 0) {
                return Math.copySign(0.0, x / y);
            }
            double floor = Math.floor(quotient);
            return quotient - floor > 0.5 ? floor + 1 : floor;
        }
        if (big(b).signum() == 0) {
            throw Errors.zeroDivision("integer division or modulo by zero");
        }
        if (a instanceof Long x && b instanceof Long y && x != Long.MIN_VALUE) {
            return Math.floorDiv(x, y);
        }
        BigInteger[] parts = big(a).divideAndRemainder(big(b));
        boolean below = parts[1].signum() != 0 && parts[1].signum() != big(b).signum();
        return normal(below ? parts[0].subtract(BigInteger.ONE) : parts[0]);
    }

    static Object modulo(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            if (real(b) == 0) {
                throw Errors.zeroDivision("float modulo");
            }
            return modulo(real(a), real(b));
        }
        BigInteger divisor = big(b);
        if (divisor.signum() == 0) {
            throw Errors.zeroDivision("integer modulo by zero");
        }
        if (a instanceof Long x && b instanceof Long y) {
            return Math.floorMod(x, y);
        }
        BigInteger rest = big(a).mod(divisor.abs());
        return normal(divisor.signum() < 0 && rest.signum() != 0 ? rest.add(divisor) : rest);
    }

    private static double modulo(double x, double y) {
        double rest = x % y;
        if (rest == 0) {
            return Math.copySign(0.0, y);
        }
        return (y < 0) != (rest < 0) ? rest + y : rest;
    }

    static Object power(Object a, Object b) {
        if (a instanceof Double || b instanceof Double || big(b).signum() < 0) {
            return realPower(real(a), real(b));
        }
        BigInteger base = big(a);
        BigInteger exponent = big(b);
        if (base.abs().bitLength() <= 1) {
            boolean negative = base.signum() < 0 && exponent.testBit(0);
            return exponent.signum() == 0 ? (Object) 1L : negative ? (Object) (-1L) : normal(base.abs());
        }
        if (exponent.bitLength() > 31 || (long) (base.bitLength() - 1) * exponent.longValue() > MAX_BITS) {
            throw Errors.limit("the template computed a number of more than " + MAX_BITS + " bits");
        }
        return normal(base.pow(exponent.intValue()));
    }

    private static double realPower(double base, double exponent) {
        if (base == 0 && exponent < 0) {
            throw Errors.zeroDivision("0.0 cannot be raised to a negative power");
        }
        double result = Math.pow(base, exponent);
        if (base == 1) {
            return 1;
        }
        if (Double.isNaN(result) && !Double.isNaN(base) && !Double.isNaN(exponent)) {
            if (base == -1 && Double.isInfinite(exponent)) {
                return 1;
            }
            throw Errors.type("complex numbers are not supported in templates");
        }
        if (Double.isInfinite(result) && Double.isFinite(base) && Double.isFinite(exponent)) {
            throw Errors.overflow("(34, 'Numerical result out of range')");
        }
        return result;
    }

    static Object negate(Object value) {
        return switch (value) {
            case Double number -> -number;
            case Long number when number != Long.MIN_VALUE -> -number;
            default -> normal(big(value).negate());
        };
    }

    static Object absolute(Object value) {
        return value instanceof Double number
                ? (Object) Math.abs(number)
                : big(value).signum() < 0 ? negate(plain(value)) : plain(value);
    }

    /** Orders two numbers; NaN must be ruled out by the caller. */
    static int compare(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            return Long.compare(x, y);
        }
        if (a instanceof Double x && b instanceof Double y) {
            return x < y ? -1 : x > y ? 1 : 0;
        }
        if (a instanceof Double x) {
            return -compare(b, x);
        }
        if (b instanceof Double y) {
            return Double.isInfinite(y) ? y > 0 ? -1 : 1 : new BigDecimal(big(a)).compareTo(new BigDecimal(y));
        }
        return big(a).compareTo(big(b));
    }

    /** {@code int(float)}: cut towards zero. */
    static Object truncate(double value) {
        if (Double.isNaN(value)) {
            throw Errors.value("cannot convert float NaN to integer");
        }
        if (Double.isInfinite(value)) {
            throw Errors.overflow("cannot convert float infinity to integer");
        }
        return normal(new BigDecimal(value).toBigInteger());
    }

    /** {@code round(number, digits)}: whole numbers stay whole, halves go to the even neighbour. */
    static Object round(Object value, long digits) {
        if (value instanceof Double number) {
            if (!Double.isFinite(number) || digits > 323) {
                return number;
            }
            if (digits < -308) {
                return Math.copySign(0.0, number);
            }
            double rounded = new BigDecimal(number)
                    .setScale((int) digits, RoundingMode.HALF_EVEN)
                    .doubleValue();
            return rounded == 0 ? Math.copySign(0.0, number) : rounded;
        }
        if (digits >= 0) {
            return plain(value);
        }
        if (digits < -MAX_BITS) {
            return 0L;
        }
        return normal(new BigDecimal(big(value))
                .setScale((int) digits, RoundingMode.HALF_EVEN)
                .toBigInteger());
    }
}
