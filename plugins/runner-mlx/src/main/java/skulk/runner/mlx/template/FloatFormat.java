package skulk.runner.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Writes floats as Python does: shortest round trip, and the C formats {@code f}, {@code e} and {@code g}. */
final class FloatFormat {
    private FloatFormat() {}

    /** {@code repr(float)}. */
    static String repr(double value) {
        if (!Double.isFinite(value)) {
            return special(value);
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = shortest(Math.abs(value));
        String digits = decimal.unscaledValue().toString();
        int exponent = digits.length() - decimal.scale() - 1;
        String sign = value < 0 ? "-" : "";
        if (exponent < -4 || exponent >= 16) {
            String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
            return sign + mantissa + exponent(exponent);
        }
        String plain = decimal.toPlainString();
        return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
    }

    /** The shortest decimal that reads back as the value, without trailing zeros. */
    private static BigDecimal shortest(double value) {
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        if (decimal.precision() == 2) {
            // Java prefers two digits that are nearer to one digit that suffices (4.9E-324 for 5E-324).
            BigDecimal one = decimal.round(new MathContext(1, RoundingMode.HALF_EVEN));
            if (one.doubleValue() == value) {
                return one.stripTrailingZeros();
            }
        }
        return decimal;
    }

    static String special(double value) {
        return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }

    private static String exponent(int exponent) {
        String digits = Integer.toString(Math.abs(exponent));
        return (exponent < 0 ? "e-" : "e+") + (digits.length() < 2 ? "0" : "") + digits;
    }

    /** {@code %.<precision>f} of a finite value's magnitude. */
    static String fixed(double value, int precision, boolean alternate) {
        String plain = new BigDecimal(Math.abs(value))
                .setScale(precision, RoundingMode.HALF_EVEN)
                .toPlainString();
        return alternate && precision == 0 ? plain + "." : plain;
    }

    /** {@code %.<precision>e} of a finite value's magnitude. */
    static String scientific(double value, int precision, boolean alternate) {
        BigDecimal rounded =
                new BigDecimal(Math.abs(value)).round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
        String digits = digits(rounded, precision + 1);
        int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        String fraction = digits.substring(1);
        return digits.charAt(0) + (fraction.isEmpty() && !alternate ? "" : ".") + fraction + exponent(exponent);
    }

    /** {@code %.<precision>g} of a finite value's magnitude. */
    static String general(double value, int precision, boolean alternate) {
        int significant = Math.max(1, precision);
        BigDecimal rounded =
                new BigDecimal(Math.abs(value)).round(new MathContext(significant, RoundingMode.HALF_EVEN));
        int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        String text;
        if (exponent < -4 || exponent >= significant) {
            String digits = digits(rounded, significant);
            String fraction = alternate ? digits.substring(1) : stripZeros(digits.substring(1));
            text = digits.charAt(0) + (fraction.isEmpty() && !alternate ? "" : ".") + fraction + exponent(exponent);
        } else {
            String plain = rounded.setScale(Math.max(0, significant - 1 - exponent), RoundingMode.HALF_EVEN)
                    .toPlainString();
            text = alternate
                    ? plain.indexOf('.') < 0 ? plain + "." : plain
                    : plain.indexOf('.') < 0 ? plain : trimPoint(stripZeros(plain));
        }
        return text;
    }

    private static String digits(BigDecimal rounded, int count) {
        BigInteger unscaled = rounded.unscaledValue();
        StringBuilder digits = new StringBuilder(unscaled.toString());
        while (digits.length() < count) {
            digits.append('0');
        }
        return digits.substring(0, count);
    }

    private static String stripZeros(String digits) {
        int end = digits.length();
        while (end > 0 && digits.charAt(end - 1) == '0') {
            end--;
        }
        return digits.substring(0, end);
    }

    private static String trimPoint(String digits) {
        return digits.endsWith(".") ? digits.substring(0, digits.length() - 1) : digits;
    }
}
