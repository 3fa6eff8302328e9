package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import skulk.runner.mlx.template.Expr.Arguments;
import skulk.runner.mlx.template.Unit.Variable;

/** Turns expressions into code: names become slots, filters and tests their functions. */
final class ExpressionCompiler {
    private ExpressionCompiler() {}

    static Code compile(Expr expression, Scoping at) {
        return switch (expression) {
            case Expr.Const constant -> {
                Object value = constant.value();
                yield _ -> value;
            }
            case Expr.Name name -> name(name.name(), at);
            case Expr.TupleLiteral tuple -> {
                Function<Frame, List<Object>> items = all(tuple.items(), at);
                yield frame -> PyTuple.of(items.apply(frame));
            }
            case Expr.ListLiteral list -> {
                Function<Frame, List<Object>> items = all(list.items(), at);
                yield items::apply;
            }
            case Expr.DictLiteral dict -> dict(all(dict.entries(), at));
            case Expr.Conditional conditional -> conditional(conditional, at);
            case Expr.Apply apply -> apply(apply, at);
            case Expr.Call call -> call(call, at, frame -> Missing.MISSING);
            case Expr.GetItem item -> item(item, at);
            case Expr.GetAttribute attribute -> {
                Code object = compile(attribute.object(), at);
                String name = attribute.name();
                yield frame -> Attributes.getAttribute(object.eval(frame), name, frame.render);
            }
            case Expr.Slice _ -> throw new TemplateSyntaxException("a slice outside of a subscript", expression.line());
            case Expr.Concat concat -> concat(all(concat.parts(), at));
            case Expr.Comparison comparison -> comparison(comparison, at);
            case Expr.Binary binary -> binary(binary, at);
            case Expr.Unary unary -> unary(unary, at);
        };
    }

    /** Reads a variable as it is, {@link Missing#MISSING} where it has no value. */
    static Code raw(Variable variable, Unit unit) {
        int levels = unit.distance(variable);
        int slot = variable.slot();
        return levels == 0 ? frame -> frame.slots[slot] : frame -> frame.up(levels).slots[slot];
    }

    private static Code name(String name, Scoping at) {
        Code raw = raw(at.scope().ref(name), at.unit());
        Undefined undefined = Undefined.variable(name);
        return frame -> {
            Object value = raw.eval(frame);
            return value == Missing.MISSING ? undefined : value;
        };
    }

    private static Function<Frame, List<Object>> all(List<Expr> expressions, Scoping at) {
        Code[] codes = expressions.stream().map(item -> compile(item, at)).toArray(Code[]::new);
        return frame -> {
            frame.render.elements(codes.length);
            List<Object> values = new ArrayList<>(codes.length);
            for (Code code : codes) {
                values.add(code.eval(frame));
            }
            return values;
        };
    }

    private static Code dict(Function<Frame, List<Object>> entries) {
        return frame -> {
            PyDict dict = new PyDict();
            for (Iterator<Object> values = entries.apply(frame).iterator(); values.hasNext(); ) {
                dict.put(values.next(), values.next());
            }
            return dict;
        };
    }

    private static Code conditional(Expr.Conditional conditional, Scoping at) {
        Scoping soft = at.softened();
        Code test = compile(conditional.test(), soft);
        Code then = compile(conditional.then(), soft);
        Undefined nothing = new Undefined("the inline if-expression on line " + conditional.line()
                + " evaluated to false and no else section was defined.");
        Code otherwise =
                conditional.otherwise().map(value -> compile(value, soft)).orElse(_ -> nothing);
        return frame -> Types.truthy(test.eval(frame)) ? then.eval(frame) : otherwise.eval(frame);
    }

    private static Code apply(Expr.Apply apply, Scoping at) {
        String kind = apply.isTest() ? "test" : "filter";
        Callable function = (apply.isTest() ? Tests.ALL : Filters.ALL).get(apply.name());
        if (function == null && !at.soft()) {
            throw new TemplateSyntaxException("No " + kind + " named " + Repr.quote(apply.name()) + ".", apply.line());
        }
        Callable known = function != null
                ? function
                : (_, _) -> {
                    throw Errors.jinja("No " + kind + " named " + Repr.quote(apply.name()) + " found.");
                };
        Code value = apply.value().map(inner -> compile(inner, at)).orElse(frame -> frame.captured);
        Function<Frame, Args> arguments = arguments(Optional.of(value), apply.arguments(), at);
        return frame -> {
            frame.render.step();
            return known.call(frame.render, arguments.apply(frame));
        };
    }

    /** A call; {@code caller} gives the body of a call block, or {@link Missing#MISSING}. */
    static Code call(Expr.Call call, Scoping at, Code caller) {
        Code function = compile(call.function(), at);
        Function<Frame, Args> arguments = arguments(Optional.empty(), call.arguments(), at);
        return frame -> {
            frame.render.step();
            Object callee = function.eval(frame);
            Args args = arguments.apply(frame);
            Object body = caller.eval(frame);
            return invoke(callee, body == Missing.MISSING ? args : args.with("caller", body), frame.render);
        };
    }

    static Object invoke(Object callee, Args args, Render render) {
        return switch (callee) {
            case Callable callable -> callable.call(render, args);
            case Undefined undefined -> throw undefined.failure();
            case null, default -> throw Errors.type(Repr.quote(Types.name(callee)) + " object is not callable");
        };
    }

    /** Evaluates arguments; {@code first} stands before them, as the value of a filter does. */
    private static Function<Frame, Args> arguments(Optional<Code> first, Arguments arguments, Scoping at) {
        List<Code> positional = new ArrayList<>();
        first.ifPresent(positional::add);
        arguments.positional().forEach(item -> positional.add(compile(item, at)));
        Map<String, Code> named = new LinkedHashMap<>();
        arguments.named().forEach(argument -> named.put(argument.name(), compile(argument.value(), at)));
        Optional<Code> more = arguments.more().map(value -> compile(value, at));
        Optional<Code> moreNamed = arguments.moreNamed().map(value -> compile(value, at));
        return frame -> {
            List<Object> values = new ArrayList<>(positional.size());
            for (Code code : positional) {
                values.add(code.eval(frame));
            }
            more.ifPresent(code -> values.addAll(Types.list(code.eval(frame), frame.render)));
            if (named.isEmpty() && moreNamed.isEmpty()) {
                return new Args(values, Map.of());
            }
            Map<String, Object> names = new LinkedHashMap<>();
            named.forEach((name, code) -> names.put(name, code.eval(frame)));
            moreNamed.ifPresent(code -> spread(code.eval(frame), names));
            return new Args(values, names);
        };
    }

    private static void spread(Object value, Map<String, Object> names) {
        if (!(value instanceof PyDict dict)) {
            throw Errors.type("argument after ** must be a mapping, not " + Types.name(value));
        }
        for (Object key : dict.keys()) {
            String name = Str.of(key);
            if (name == null) {
                throw Errors.type("keywords must be strings");
            }
            if (names.containsKey(name)) {
                throw Errors.type("got multiple values for keyword argument " + Repr.quote(name));
            }
            names.put(name, dict.get(key));
        }
    }

    private static Code item(Expr.GetItem item, Scoping at) {
        Code object = compile(item.object(), at);
        if (item.key() instanceof Expr.Slice slice) {
            Code nothing = _ -> null;
            Code start = slice.start().map(value -> compile(value, at)).orElse(nothing);
            Code stop = slice.stop().map(value -> compile(value, at)).orElse(nothing);
            Code step = slice.step().map(value -> compile(value, at)).orElse(nothing);
            return frame -> {
                Object value = object.eval(frame);
                return Slices.slice(value, start.eval(frame), stop.eval(frame), step.eval(frame), frame.render);
            };
        }
        Code key = compile(item.key(), at);
        return frame -> Attributes.getItem(object.eval(frame), key.eval(frame), frame.render);
    }

    private static Code concat(Function<Frame, List<Object>> parts) {
        return frame -> {
            Text text = new Text(frame.render);
            for (Object part : parts.apply(frame)) {
                text.add(Repr.str(part, frame.render));
            }
            return text.toString();
        };
    }

    private static Code comparison(Expr.Comparison comparison, Scoping at) {
        List<Code> operands =
                comparison.operands().stream().map(item -> compile(item, at)).toList();
        List<String> operators = comparison.operators();
        return frame -> {
            Object left = operands.getFirst().eval(frame);
            boolean holds = true;
            for (int i = 0; i < operators.size() && holds; i++) {
                Object right = operands.get(i + 1).eval(frame);
                holds = Operators.compare(operators.get(i), left, right, frame.render);
                left = right;
            }
            return holds;
        };
    }

    private static Code binary(Expr.Binary binary, Scoping at) {
        Code left = compile(binary.left(), at);
        Code right = compile(binary.right(), at);
        return switch (binary.operator()) {
            case "and" ->
                frame -> {
                    Object value = left.eval(frame);
                    return Types.truthy(value) ? right.eval(frame) : value;
                };
            case "or" ->
                frame -> {
                    Object value = left.eval(frame);
                    return Types.truthy(value) ? value : right.eval(frame);
                };
            default -> {
                String operator = binary.operator();
                yield frame -> Operators.binary(operator, left.eval(frame), right.eval(frame), frame.render);
            }
        };
    }

    private static Code unary(Expr.Unary unary, Scoping at) {
        Code operand = compile(unary.operand(), at);
        String operator = unary.operator();
        return operator.equals("not")
                ? frame -> !Types.truthy(operand.eval(frame))
                : frame -> Operators.unary(operator, operand.eval(frame));
    }
}
