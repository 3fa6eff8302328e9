package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
    private final OperandParser operands;
    private int depth;

    ExpressionParser(TokenStream stream) {
        this.stream = stream;
        this.operands = new OperandParser(stream, this);
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

    void chain(int count) {
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
        return stream.current().is(Kind.OPERATOR)
                && operators.contains(stream.current().text());
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
            parsed = operands.primary();
        }
        parsed = operands.postfix(parsed);
        return withFilter ? operands.filters(parsed) : parsed;
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

    /** One filter whose name comes next. */
    Expr filter(Optional<Expr> value) {
        return operands.filter(value);
    }
}
