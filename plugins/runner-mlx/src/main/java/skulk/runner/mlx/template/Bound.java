package skulk.runner.mlx.template;

import java.math.BigInteger;

/** Arguments sorted into the parameters of a {@link Native}; those not given are {@link Missing#MISSING}. */
final class Bound {
    private final Native function;
    private final Object[] values;

    Bound(Native function, Object[] values) {
        this.function = function;
        this.values = values;
    }

    boolean has(int index) {
        return values[index] != Missing.MISSING;
    }

    Object get(int index) {
        return values[index];
    }

    Object get(int index, Object otherwise) {
        return has(index) ? values[index] : otherwise;
    }

    /** A string argument; anything else is a type error. */
    String text(int index) {
        String text = Str.of(values[index]);
        if (text == null) {
            throw Errors.type(function.name() + "() argument "
                    + Repr.quote(function.parameters().get(index)) + " must be str, not " + Types.name(values[index]));
        }
        return text;
    }

    String text(int index, String otherwise) {
        return has(index) ? text(index) : otherwise;
    }

    /** Whether the argument was given and is not None. */
    boolean given(int index) {
        return has(index) && values[index] != null;
    }

    /** A whole number; those beyond 64 bits are cut to the nearest that fits. */
    long integer(int index, long otherwise) {
        return has(index) ? Numbers.index(values[index]) : otherwise;
    }

    boolean flag(int index, boolean otherwise) {
        return has(index) ? Types.truthy(values[index]) : otherwise;
    }

    static long clamp(BigInteger value) {
        return value.bitLength() < 64 ? value.longValue() : value.signum() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
}
