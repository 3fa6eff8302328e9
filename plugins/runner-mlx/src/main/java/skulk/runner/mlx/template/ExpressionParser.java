package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import skulk.runner.mlx.template.Expr.Arguments;
import skulk.runner.mlx.template.Expr.Named;
import skulk.runner.mlx.template.Token.Kind;

/** Parses expressions, binding as tightly as jinja2/parser.py does (which is not always as Python does). */
final class ExpressionParser {
    /** Deeper nesting than any real template has; keeps the recursion of this parser and of the evaluation short. */
    private static final int MAX_DEPTH = 150;

    /** The operators of two sides, by how tightly they bind; {@code ~} stands between the two rows of arithmetic. */
    private static final Set<String> ADDITIVE = Set.of("+", "-");

    private static final Set<String> MULTIPLICATIVE = Set.of("*", "/", "//", "%");
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    /** How many operators of one kind may stand in a row. */
    private static final int MAX_CHAIN = 1000;

    private final TokenStream stream;
    private int depth;

    ExpressionParser(TokenStream stream) {
        this.stream = stream;
    }

    Expr expression() {
        return expression(true);
    }

    private Expr expression(boolean conditional) {
        if (++depth > MAX_DEPTH) {
            throw stream.error("the expression is nested more than " + MAX_DEPTH + " levels deep");
        }
        Expr parsed = conditional ? conditional() : or();
        depth--;
        return parsed;
    }

    private Expr conditional() {
        int line = stream.current().line();
        Expr value = or();
        for (int count = 0; stream.skipName("if"); count++) {
            chain(count);
            Expr test = or();
            Optional<Expr> otherwise = stream.skipName("else") ? Optional.of(expression()) : Optional.empty();
            value = new Expr.Conditional(test, value, otherwise, line);
        }
        return value;
    }

    private void chain(int count) {
        if (count > MAX_CHAIN) {
            throw stream.error("the expression has more than " + MAX_CHAIN + " operators in a row");
        }
    }

    private Expr or() {
        Expr left = and();
        for (int count = 0; stream.current().isName("or"); count++) {
            chain(count);
            int line = stream.next().line();
            left = new Expr.Binary("or", left, and(), line);
        }
        return left;
    }

    private Expr and() {
        Expr left = not();
        for (int count = 0; stream.current().isName("and"); count++) {
            chain(count);
            int line = stream.next().line();
            left = new Expr.Binary("and", left, not(), line);
        }
        return left;
    }

    private Expr not() {
        int count = 0;
        int line = stream.current().line();
        while (stream.skipName("not")) {
            chain(count++);
        }
        Expr operand = comparison();
        for (int i = 0; i < count; i++) {
            operand = new Expr.Unary("not", operand, line);
        }
        return operand;
    }

    private Expr comparison() {
        int line = stream.current().line();
        List<Expr> operands = new ArrayList<>(List.of(additive()));
        List<String> operators = new ArrayList<>();
        while (true) {
            Token token = stream.current();
            if (token.is(Kind.OPERATOR) && COMPARISONS.contains(token.text())) {
                operators.add(stream.next().text());
            } else if (stream.skipName("in")) {
                operators.add("in");
            } else if (token.isName("not") && stream.look().isName("in")) {
                stream.next();
                stream.next();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(additive());
        }
        return operators.isEmpty() ? operands.getFirst() : new Expr.Comparison(operands, operators, line);
    }

    private boolean at(Set<String> operators) {
        return stream.current().is(Kind.OPERATOR) && operators.contains(stream.current().text());
    }

    private Expr additive() {
        Expr left = concat();
        for (int count = 0; at(ADDITIVE); count++) {
            chain(count);
            Token operator = stream.next();
            left = new Expr.Binary(operator.text(), left, concat(), operator.line());
        }
        return left;
    }

    private Expr concat() {
        int line = stream.current().line();
        List<Expr> parts = new ArrayList<>(List.of(multiplicative()));
        while (stream.skipOperator("~")) {
            parts.add(multiplicative());
        }
        return parts.size() == 1 ? parts.getFirst() : new Expr.Concat(parts, line);
    }

    private Expr multiplicative() {
        Expr left = power();
        for (int count = 0; at(MULTIPLICATIVE); count++) {
            chain(count);
            Token operator = stream.next();
            left = new Expr.Binary(operator.text(), left, power(), operator.line());
        }
        return left;
    }

    private Expr power() {
        Expr left = unary(true);
        for (int count = 0; stream.current().isOperator("**"); count++) {
            chain(count);
            int line = stream.next().line();
            left = new Expr.Binary("**", left, unary(true), line);
        }
        return left;
    }

    private Expr unary(boolean withFilter) {
        Token token = stream.current();
        Expr parsed;
        if (at(ADDITIVE)) {
            if (++depth > MAX_DEPTH) {
                throw stream.error("the expression is nested more than " + MAX_DEPTH + " levels deep");
            }
            stream.next();
            parsed = new Expr.Unary(token.text(), unary(false), token.line());
            depth--;
        } else {
            parsed = primary();
        }
        parsed = postfix(parsed);
        return withFilter ? filters(parsed) : parsed;
    }

    Expr primary() {
        Token token = stream.current();
        return switch (token.kind()) {
            case NAME -> {
                stream.next();
                yield switch (token.text()) {
                    case "true", "True" -> new Expr.Const(true, token.line());
                    case "false", "False" -> new Expr.Const(false, token.line());
                    case "none", "None" -> new Expr.Const(null, token.line());
                    default -> new Expr.Name(token.text(), token.line());
                };
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (stream.current().is(Kind.STRING)) {
                    text.append((String) stream.next().value());
                }
                yield new Expr.Const(text.toString(), token.line());
            }
            case INTEGER, FLOAT -> new Expr.Const(stream.next().value(), token.line());
            case OPERATOR -> bracketed(token);
            default -> throw stream.error("unexpected '" + token.describe() + "'");
        };
    }

    private Expr bracketed(Token token) {
        switch (token.text()) {
            case "(" -> {
                stream.next();
                Expr inner = tuple(true, true);
                stream.expectOperator(")");
                return inner;
            }
            case "[" -> {
                stream.next();
                List<Expr> items = new ArrayList<>();
                separated("]", () -> items.add(expression()));
                return new Expr.ListLiteral(items, token.line());
            }
            case "{" -> {
                stream.next();
                List<Expr> entries = new ArrayList<>();
                separated("}", () -> {
                    entries.add(expression());
                    stream.expectOperator(":");
                    entries.add(expression());
                });
                return new Expr.DictLiteral(entries, token.line());
            }
            default -> throw stream.error("unexpected '" + token.describe() + "'");
        }
    }

    /** Items with commas between them and perhaps one at the end. */
    private void separated(String close, Runnable item) {
        boolean first = true;
        while (!stream.current().isOperator(close)) {
            if (!first) {
                stream.expectOperator(",");
                if (stream.current().isOperator(close)) {
                    break;
                }
            }
            item.run();
            first = false;
        }
        stream.expectOperator(close);
    }

    /**
     * An expression, or several with commas.
     *
     * @param conditional whether an inline if may stand in it
     * @param empty whether it may have no element
     */
    Expr tuple(boolean conditional, boolean empty) {
        int line = stream.current().line();
        List<Expr> items = new ArrayList<>();
        boolean isTuple = false;
        while (true) {
            if (!items.isEmpty()) {
                stream.expectOperator(",");
            }
            if (tupleEnds()) {
                break;
            }
            items.add(expression(conditional));
            if (!stream.current().isOperator(",")) {
                break;
            }
            isTuple = true;
        }
        if (!isTuple && !items.isEmpty()) {
            return items.getFirst();
        }
        if (!isTuple && !empty) {
            throw stream.error(
                    "Expected an expression, got '" + stream.current().describe() + "'");
        }
        return new Expr.TupleLiteral(items, line);
    }

    boolean tupleEnds() {
        Token token = stream.current();
        return token.is(Kind.VARIABLE_END) || token.is(Kind.BLOCK_END) || token.isOperator(")");
    }

    private Expr postfix(Expr value) {
        Expr parsed = value;
        for (int count = 0; ; count++) {
            chain(count);
            Token token = stream.current();
            if (token.isOperator(".")) {
                parsed = attribute(parsed);
            } else if (token.isOperator("[")) {
                parsed = subscript(parsed);
            } else if (token.isOperator("(")) {
                parsed = new Expr.Call(parsed, arguments(), token.line());
            } else {
                return parsed;
            }
        }
    }

    private Expr filters(Expr value) {
        Expr parsed = value;
        for (int count = 0; ; count++) {
            chain(count);
            Token token = stream.current();
            if (token.isOperator("|")) {
                stream.next();
                parsed = filter(Optional.of(parsed));
            } else if (token.isName("is")) {
                parsed = test(parsed);
            } else if (token.isOperator("(")) {
                parsed = new Expr.Call(parsed, arguments(), token.line());
            } else {
                return parsed;
            }
        }
    }

    private Expr attribute(Expr object) {
        int line = stream.next().line();
        Token name = stream.next();
        return switch (name.kind()) {
            case NAME -> new Expr.GetAttribute(object, name.text(), line);
            case INTEGER -> new Expr.GetItem(object, new Expr.Const(name.value(), line), line);
            default -> throw new TemplateSyntaxException("expected name or number", name.line());
        };
    }

    private Expr subscript(Expr object) {
        int line = stream.next().line();
        List<Expr> keys = new ArrayList<>();
        while (!stream.current().isOperator("]")) {
            if (!keys.isEmpty()) {
                stream.expectOperator(",");
            }
            keys.add(subscripted());
        }
        stream.expectOperator("]");
        if (keys.size() != 1 && keys.stream().anyMatch(Expr.Slice.class::isInstance)) {
            throw new TemplateSyntaxException("a slice can not be one of several subscripts", line);
        }
        Expr key = keys.size() == 1 ? keys.getFirst() : new Expr.TupleLiteral(keys, line);
        return new Expr.GetItem(object, key, line);
    }

    private Expr subscripted() {
        int line = stream.current().line();
        Optional<Expr> start = Optional.empty();
        if (!stream.current().isOperator(":")) {
            Expr value = expression();
            if (!stream.current().isOperator(":")) {
                return value;
            }
            start = Optional.of(value);
        }
        stream.next();
        Optional<Expr> stop = sliceEnds() || stream.current().isOperator(":")
                ? Optional.empty()
                : Optional.of(expression());
        Optional<Expr> step = stream.skipOperator(":") && !sliceEnds() ? Optional.of(expression()) : Optional.empty();
        return new Expr.Slice(start, stop, step, line);
    }

    private boolean sliceEnds() {
        return stream.current().isOperator("]") || stream.current().isOperator(",");
    }

    Arguments arguments() {
        int line = stream.expectOperator("(").line();
        List<Expr> positional = new ArrayList<>();
        List<Named> named = new ArrayList<>();
        List<Expr> more = new ArrayList<>();
        List<Expr> moreNamed = new ArrayList<>();
        separated(")", () -> {
            boolean valid;
            if (stream.skipOperator("*")) {
                valid = more.isEmpty() && moreNamed.isEmpty();
                more.add(expression());
            } else if (stream.skipOperator("**")) {
                valid = moreNamed.isEmpty();
                moreNamed.add(expression());
            } else if (stream.current().is(Kind.NAME) && stream.look().isOperator("=")) {
                String name = stream.next().text();
                stream.next();
                valid = moreNamed.isEmpty() && named.stream().noneMatch(known -> known.name().equals(name));
                named.add(new Named(name, expression()));
            } else {
                valid = more.isEmpty() && moreNamed.isEmpty() && named.isEmpty();
                positional.add(expression());
            }
            if (!valid) {
                throw new TemplateSyntaxException("invalid syntax for function call expression", line);
            }
        });
        return new Arguments(
                positional, named, more.stream().findFirst(), moreNamed.stream().findFirst());
    }

    /** One filter whose name comes next. */
    Expr filter(Optional<Expr> value) {
        Token token = stream.current();
        String name = dottedName();
        return new Expr.Apply(false, value, name, optionalArguments(), token.line());
    }

    private Arguments optionalArguments() {
        return stream.current().isOperator("(") ? arguments() : Arguments.NONE;
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(stream.expect(Kind.NAME).text());
        while (stream.skipOperator(".")) {
            name.append('.').append(stream.expect(Kind.NAME).text());
        }
        return name.toString();
    }

    private Expr test(Expr value) {
        int line = stream.next().line();
        boolean negated = stream.skipName("not");
        String name = dottedName();
        Token token = stream.current();
        Arguments arguments = optionalArguments();
        if (!token.isOperator("(") && startsOperand(token)) {
            if (token.isName("is")) {
                throw stream.error("You cannot chain multiple tests with is");
            }
            arguments = new Arguments(List.of(postfix(primary())), List.of(), Optional.empty(), Optional.empty());
        }
        Expr test = new Expr.Apply(true, Optional.of(value), name, arguments, line);
        return negated ? new Expr.Unary("not", test, line) : test;
    }

    private static boolean startsOperand(Token token) {
        return switch (token.kind()) {
            case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.isOperator("[") || token.isOperator("{");
            default -> false;
        };
    }
}
