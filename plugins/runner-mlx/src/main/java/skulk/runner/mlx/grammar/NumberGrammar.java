package skulk.runner.mlx.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/** Adds JSON numbers to a grammar, within bounds where there are any. */
final class NumberGrammar {
    /** Integers of more digits do not survive a double; fractions of more digits than this are not offered between bounds. */
    private static final int MAX_DIGITS = 15;

    private static final int FRACTION_DIGITS = 4;
    private static final BigInteger LIMIT = BigInteger.TEN.pow(MAX_DIGITS).subtract(BigInteger.ONE);

    private final GrammarBuilder builder;

    NumberGrammar(GrammarBuilder builder) {
        this.builder = builder;
    }

    /** @param exclusive whether the bound itself is outside */
    record Bound(BigDecimal value, boolean exclusive) {}

    /** Any integer. */
    int integer(int from) {
        return integer(from, Optional.empty(), Optional.empty());
    }

    /** Integers between bounds; no way to the end where there are none. */
    int integer(int from, Optional<Bound> low, Optional<Bound> high) {
        int to = builder.state();
        fixedPoint(from, to, 0, scaled(low, 0, true), scaled(high, 0, false));
        return to;
    }

    /** Any number, in the grammar of RFC 8259 section 6 with at most {@value #MAX_DIGITS} digits before and behind the point and an exponent of two. */
    int number(int from) {
        int sign = builder.optional(from, s -> builder.literal(s, "-"));
        int whole = builder.anyOf(
                sign,
                List.of(
                        s -> builder.literal(s, "0"),
                        s -> builder.repeat(builder.range(s, '1', '9'), 0, MAX_DIGITS - 1, this::digit)));
        int fraction =
                builder.optional(whole, s -> builder.repeat(builder.literal(s, "."), 1, MAX_DIGITS, this::digit));
        return builder.optional(fraction, s -> {
            int e = builder.anyOf(s, List.of(t -> builder.literal(t, "e"), t -> builder.literal(t, "E")));
            List<IntUnaryOperator> signs = List.of(t -> builder.literal(t, "-"), t -> builder.literal(t, "+"));
            return builder.repeat(builder.optional(e, t -> builder.anyOf(t, signs)), 1, 2, this::digit);
        });
    }

    /** Numbers between bounds: integers, and decimals of a few digits more than the bounds have. */
    int number(int from, Optional<Bound> low, Optional<Bound> high) {
        if (low.isEmpty() && high.isEmpty()) {
            return number(from);
        }
        int to = builder.state();
        int most = Math.min(MAX_DIGITS - 1, Math.max(decimals(low), decimals(high)) + FRACTION_DIGITS);
        for (int decimals = 0; decimals <= most; decimals++) {
            fixedPoint(from, to, decimals, scaled(low, decimals, true), scaled(high, decimals, false));
        }
        return to;
    }

    private int digit(int from) {
        return builder.range(from, '0', '9');
    }

    private static int decimals(Optional<Bound> bound) {
        return bound.map(b -> Math.max(0, b.value().stripTrailingZeros().scale()))
                .orElse(0);
    }

    /** The outermost integer inside a bound, in units of the last of so many decimals. */
    private static BigInteger scaled(Optional<Bound> bound, int decimals, boolean low) {
        if (bound.isEmpty()) {
            return low ? LIMIT.negate() : LIMIT;
        }
        BigDecimal exact = bound.get().value().movePointRight(decimals);
        BigInteger inside = exact.setScale(0, low ? RoundingMode.CEILING : RoundingMode.FLOOR)
                .toBigInteger();
        boolean onIt = bound.get().exclusive() && exact.compareTo(new BigDecimal(inside)) == 0;
        BigInteger kept = onIt ? (low ? inside.add(BigInteger.ONE) : inside.subtract(BigInteger.ONE)) : inside;
        return low ? kept.max(LIMIT.negate()) : kept.min(LIMIT);
    }

    private void fixedPoint(int from, int to, int decimals, BigInteger low, BigInteger high) {
        if (high.signum() >= 0) {
            positive(from, to, decimals, low.max(BigInteger.ZERO), high);
        }
        if (low.signum() < 0) {
            BigInteger nearest = high.signum() < 0 ? high.negate() : BigInteger.ONE;
            positive(builder.literal(from, "-"), to, decimals, nearest, low.negate());
        }
    }

    /** Numbers from low to high, by how many digits they have. */
    private void positive(int from, int to, int decimals, BigInteger low, BigInteger high) {
        for (int digits = decimals + 1; digits <= MAX_DIGITS; digits++) {
            // a zero before the point only where it is the only digit there
            BigInteger first = digits == decimals + 1 ? BigInteger.ZERO : BigInteger.TEN.pow(digits - 1);
            BigInteger last = BigInteger.TEN.pow(digits).subtract(BigInteger.ONE);
            BigInteger a = low.max(first);
            BigInteger b = high.min(last);
            if (a.compareTo(b) <= 0) {
                digits(from, to, padded(a, digits), padded(b, digits), decimals == 0 ? -1 : decimals);
            }
        }
    }

    private static String padded(BigInteger value, int digits) {
        return "0".repeat(digits - value.toString().length()) + value;
    }

    /** Paths for all digit strings from low to high, with a point before the last decimals; negative = no point. */
    private void digits(int from, int to, String low, String high, int decimals) {
        int start = low.length() == decimals ? builder.literal(from, ".") : from;
        if (low.length() == 1) {
            builder.edge(start, low.charAt(0), high.charAt(0), to);
            return;
        }
        // the point is written once
        int left = low.length() == decimals ? -1 : decimals;
        String lowRest = low.substring(1);
        String highRest = high.substring(1);
        if (low.charAt(0) == high.charAt(0)) {
            digits(builder.range(start, low.charAt(0), low.charAt(0)), to, lowRest, highRest, left);
            return;
        }
        char firstFree = low.charAt(0);
        char lastFree = high.charAt(0);
        if (!lowRest.matches("0+")) {
            digits(builder.range(start, firstFree, firstFree), to, lowRest, "9".repeat(lowRest.length()), left);
            firstFree++;
        }
        if (!highRest.matches("9+")) {
            digits(builder.range(start, lastFree, lastFree), to, "0".repeat(highRest.length()), highRest, left);
            lastFree--;
        }
        if (firstFree <= lastFree) {
            int middle = builder.range(start, firstFree, lastFree);
            digits(middle, to, "0".repeat(lowRest.length()), "9".repeat(lowRest.length()), left);
        }
    }
}
