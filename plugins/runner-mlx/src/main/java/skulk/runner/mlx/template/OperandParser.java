package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.template.Expr.Arguments;
import skulk.runner.mlx.template.Expr.Named;
import skulk.runner.mlx.template.Token.Kind;

/** Parses what operators stand between: literals and names with what follows them, filters and tests included. */
final class OperandParser {
    private final TokenStream stream;
    private final ExpressionParser expressions;

    OperandParser(TokenStream stream, ExpressionParser expressions) {
        this.stream = stream;
        this.expressions = expressions;
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
                Expr inner = expressions.tuple(true, true);
                stream.expectOperator(")");
                return inner;
            }
            case "[" -> {
                stream.next();
                List<Expr> items = new ArrayList<>();
                separated("]", () -> items.add(expressions.expression()));
                return new Expr.ListLiteral(items, token.line());
            }
            case "{" -> {
                stream.next();
                List<Expr> entries = new ArrayList<>();
                separated("}", () -> {
                    entries.add(expressions.expression());
                    stream.expectOperator(":");
                    entries.add(expressions.expression());
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

    Expr postfix(Expr value) {
        Expr parsed = value;
        for (int count = 0; ; count++) {
            expressions.chain(count);
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

    Expr filters(Expr value) {
        Expr parsed = value;
        for (int count = 0; ; count++) {
            expressions.chain(count);
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
            Expr value = expressions.expression();
            if (!stream.current().isOperator(":")) {
                return value;
            }
            start = Optional.of(value);
        }
        stream.next();
        Optional<Expr> stop = sliceEnds() || stream.current().isOperator(":")
                ? Optional.empty()
                : Optional.of(expressions.expression());
        Optional<Expr> step =
                stream.skipOperator(":") && !sliceEnds() ? Optional.of(expressions.expression()) : Optional.empty();
        return new Expr.Slice(start, stop, step, line);
    }

    private boolean sliceEnds() {
        return stream.current().isOperator("]") || stream.current().isOperator(",");
    }

    private Arguments arguments() {
        int line = stream.expectOperator("(").line();
        List<Expr> positional = new ArrayList<>();
        List<Named> named = new ArrayList<>();
        List<Expr> more = new ArrayList<>();
        List<Expr> moreNamed = new ArrayList<>();
        separated(")", () -> {
            boolean valid;
            if (stream.skipOperator("*")) {
                valid = more.isEmpty() && moreNamed.isEmpty();
                more.add(expressions.expression());
            } else if (stream.skipOperator("**")) {
                valid = moreNamed.isEmpty();
                moreNamed.add(expressions.expression());
            } else if (stream.current().is(Kind.NAME) && stream.look().isOperator("=")) {
                String name = stream.next().text();
                stream.next();
                valid = moreNamed.isEmpty()
                        && named.stream().noneMatch(known -> known.name().equals(name));
                named.add(new Named(name, expressions.expression()));
            } else {
                valid = more.isEmpty() && moreNamed.isEmpty() && named.isEmpty();
                positional.add(expressions.expression());
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
