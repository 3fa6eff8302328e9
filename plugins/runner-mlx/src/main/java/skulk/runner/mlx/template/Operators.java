package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;

/** The binary and unary operators on all types. */
final class Operators {
    private Operators() {}

    static Object binary(String operator, Object a, Object b, Render render) {
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return arithmetic(operator, Numbers.plain(a), Numbers.plain(b));
        }
        if (operator.equals("%") && Types.isString(a)) {
            return PercentFormat.format(a, b, render);
        }
        if (a instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (b instanceof Undefined undefined) {
            throw undefined.failure();
        }
        Object result =
                switch (operator) {
                    case "+" -> join(a, b, render);
                    case "*" -> repeat(a, b, render);
                    default -> Missing.MISSING;
                };
        if (result == Missing.MISSING) {
            String symbol = operator.equals("**") ? "** or pow()" : operator;
            throw Errors.type("unsupported operand type(s) for " + symbol + ": " + Repr.quote(Types.name(a)) + " and "
                    + Repr.quote(Types.name(b)));
        }
        return result;
    }

    private static Object arithmetic(String operator, Object a, Object b) {
        return switch (operator) {
            case "+" -> Numbers.add(a, b);
            case "-" -> Numbers.subtract(a, b);
            case "*" -> Numbers.multiply(a, b);
            case "/" -> Numbers.divide(a, b);
            case "//" -> Numbers.floorDivide(a, b);
            case "%" -> Numbers.modulo(a, b);
            case "**" -> Numbers.power(a, b);
            default -> throw new IllegalStateException(operator);
        };
    }

    private static Object join(Object a, Object b, Render render) {
        if (Types.isString(a)) {
            if (!Types.isString(b)) {
                throw cannotJoin("str", b);
            }
            if (a instanceof Markup || b instanceof Markup) {
                return new Markup(concat(
                        Markup.escape(a, render).text(),
                        Markup.escape(b, render).text(),
                        render));
            }
            return concat(Str.of(a), Str.of(b), render);
        }
        if (a instanceof List<?> left) {
            if (!(b instanceof List<?> right)) {
                throw cannotJoin("list", b);
            }
            return joined(left, right, render);
        }
        if (a instanceof PyTuple left) {
            if (!(b instanceof PyTuple right)) {
                throw cannotJoin("tuple", b);
            }
            return PyTuple.of(joined(left.items(), right.items(), render));
        }
        return Missing.MISSING;
    }

    private static TemplateRenderException cannotJoin(String type, Object other) {
        return Errors.type("can only concatenate " + type + " (not \"" + Types.name(other) + "\") to " + type);
    }

    static String concat(String a, String b, Render render) {
        long length = (long) a.length() + b.length();
        render.length(length);
        render.work(length);
        return a.concat(b);
    }

    private static List<Object> joined(List<?> a, List<?> b, Render render) {
        render.elements((long) a.size() + b.size());
        List<Object> all = new ArrayList<>(a.size() + b.size());
        all.addAll(a);
        all.addAll(b);
        return all;
    }

    private static Object repeat(Object a, Object b, Render render) {
        if (sequence(a)) {
            return repeated(a, b, render);
        }
        return sequence(b) ? repeated(b, a, render) : Missing.MISSING;
    }

    private static boolean sequence(Object value) {
        return Types.isString(value) || value instanceof List<?> || value instanceof PyTuple;
    }

    private static Object repeated(Object value, Object times, Render render) {
        if (!Types.isInteger(times)) {
            throw Errors.type("can't multiply sequence by non-int of type " + Repr.quote(Types.name(times)));
        }
        long count = Math.clamp(Numbers.index(times), 0, Integer.MAX_VALUE);
        return switch (value) {
            case String text -> new Text(render).repeat(text, count).toString();
            case Markup safe ->
                new Markup(new Text(render).repeat(safe.text(), count).toString());
            case List<?> list -> repeated(list, count, render);
            case PyTuple tuple -> PyTuple.of(repeated(tuple.items(), count, render));
            default -> throw new IllegalStateException("not a sequence");
        };
    }

    private static List<Object> repeated(List<?> items, long count, Render render) {
        render.elements(items.size() * count);
        List<Object> all = new ArrayList<>();
        for (long i = 0; i < count && !items.isEmpty(); i++) {
            all.addAll(items);
        }
        return all;
    }

    static Object unary(String operator, Object value) {
        if (Types.isNumber(value)) {
            Object number = Numbers.plain(value);
            return operator.equals("-") ? Numbers.negate(number) : number;
        }
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        throw Errors.type("bad operand type for unary " + operator + ": " + Repr.quote(Types.name(value)));
    }

    static boolean compare(String operator, Object a, Object b, Render render) {
        return switch (operator) {
            case "==" -> Compare.equal(a, b, render);
            case "!=" -> !Compare.equal(a, b, render);
            case "in" -> Compare.contains(b, a, render);
            case "not in" -> !Compare.contains(b, a, render);
            default -> Compare.ordered(a, b, operator, render);
        };
    }
}
