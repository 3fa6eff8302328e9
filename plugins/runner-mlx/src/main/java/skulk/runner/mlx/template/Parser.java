package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import skulk.runner.mlx.template.Stmt.Routine;
import skulk.runner.mlx.template.Target.NameTarget;
import skulk.runner.mlx.template.Token.Kind;

/** Parses the statements of a template. */
final class Parser {
    private static final int MAX_DEPTH = 100;
    private static final Set<String> CONSTANTS = Set.of("true", "false", "none", "True", "False", "None");

    private final TokenStream stream;
    private final ExpressionParser expressions;
    private int depth;

    Parser(String source) {
        stream = new TokenStream(new Lexer(source).tokens());
        expressions = new ExpressionParser(stream);
    }

    List<Stmt> parse() {
        return statements(List.of());
    }

    /** Text, prints and statements up to one of the ending tags, which is left as the current token. */
    private List<Stmt> statements(List<String> ends) {
        List<Stmt> body = new ArrayList<>();
        while (!stream.current().is(Kind.END)) {
            Token token = stream.next();
            switch (token.kind()) {
                case DATA -> body.add(new Stmt.Data(token.text(), token.line()));
                case VARIABLE_BEGIN -> {
                    body.add(new Stmt.Print(expressions.tuple(true, false), token.line()));
                    stream.expect(Kind.VARIABLE_END);
                }
                case BLOCK_BEGIN -> {
                    if (stream.current().is(Kind.NAME)
                            && ends.contains(stream.current().text())) {
                        return body;
                    }
                    statement(body);
                    stream.expect(Kind.BLOCK_END);
                }
                default -> throw new IllegalStateException("unexpected token " + token);
            }
        }
        if (!ends.isEmpty()) {
            throw stream.error("Unexpected end of template. Jinja was looking for the following tags: "
                    + String.join(" or ", ends));
        }
        return body;
    }

    /** The body of a statement, from after its head to the ending tag. */
    private List<Stmt> body(String... ends) {
        if (++depth > MAX_DEPTH) {
            throw stream.error("the template is nested more than " + MAX_DEPTH + " levels deep");
        }
        stream.skipOperator(":");
        stream.expect(Kind.BLOCK_END);
        List<Stmt> body = statements(List.of(ends));
        depth--;
        return body;
    }

    private List<Stmt> bodyTo(String end) {
        List<Stmt> body = body(end);
        stream.next();
        return body;
    }

    private void statement(List<Stmt> body) {
        Token tag = stream.current();
        if (!tag.is(Kind.NAME)) {
            throw stream.error("tag name expected");
        }
        stream.next();
        switch (tag.text()) {
            case "for" -> body.add(forLoop(tag.line()));
            case "if" -> body.add(ifStatement(tag.line()));
            case "set" -> body.add(set(tag.line()));
            case "macro" -> body.add(macro(tag.line()));
            case "call" -> body.add(callBlock(tag.line()));
            case "filter" -> body.add(filterBlock(tag.line()));
            case "with" -> body.add(with(tag.line()));
            case "block" -> body.add(block(tag.line()));
            case "print" -> print(body, tag.line());
            case "do" -> body.add(new Stmt.Do(expressions.tuple(true, false), tag.line()));
            case "break" -> body.add(new Stmt.Break(tag.line()));
            case "continue" -> body.add(new Stmt.Continue(tag.line()));
            case "generation" ->
                body.add(new Stmt.Generation(new Routine(List.of(), List.of(), bodyTo("endgeneration")), tag.line()));
            case "autoescape" -> {
                Expr enabled = expressions.expression();
                body.add(new Stmt.Autoescape(enabled, bodyTo("endautoescape"), tag.line()));
            }
            case "include", "import", "from", "extends" ->
                throw new TemplateSyntaxException(
                        "the tag '" + tag.text() + "' is not supported: a chat template stands alone", tag.line());
            default -> throw new TemplateSyntaxException("Encountered unknown tag '" + tag.text() + "'.", tag.line());
        }
    }

    private Stmt forLoop(int line) {
        Target target = target(false);
        stream.expectName("in");
        Expr items = expressions.tuple(false, false);
        Optional<Expr> test = stream.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
        boolean recursive = stream.skipName("recursive");
        List<Stmt> body = body("endfor", "else");
        List<Stmt> otherwise = stream.next().isName("else") ? bodyTo("endfor") : List.of();
        return new Stmt.For(target, items, body, otherwise, test, recursive, line);
    }

    private Stmt ifStatement(int line) {
        Expr test = expressions.tuple(false, false);
        List<Stmt> body = body("elif", "else", "endif");
        List<Stmt.If> elifs = new ArrayList<>();
        List<Stmt> otherwise = List.of();
        while (true) {
            Token token = stream.next();
            if (token.isName("elif")) {
                Expr elifTest = expressions.tuple(false, false);
                elifs.add(new Stmt.If(elifTest, body("elif", "else", "endif"), List.of(), List.of(), token.line()));
                continue;
            }
            if (token.isName("else")) {
                otherwise = bodyTo("endif");
            }
            return new Stmt.If(test, body, elifs, otherwise, line);
        }
    }

    private Stmt set(int line) {
        Target target = target(true);
        if (stream.skipOperator("=")) {
            return new Stmt.Assign(target, expressions.tuple(true, false), line);
        }
        Optional<Expr> filter = Optional.empty();
        while (stream.skipOperator("|")) {
            filter = Optional.of(expressions.filter(filter));
        }
        return new Stmt.AssignBlock(target, filter, bodyTo("endset"), line);
    }

    private Stmt macro(int line) {
        String name = nameTarget().name();
        return new Stmt.Macro(name, routine("endmacro"), line);
    }

    private Routine routine(String end) {
        List<NameTarget> parameters = new ArrayList<>();
        List<Expr> defaults = new ArrayList<>();
        signature(parameters, defaults);
        return new Routine(parameters, defaults, bodyTo(end));
    }

    private void signature(List<NameTarget> parameters, List<Expr> defaults) {
        stream.expectOperator("(");
        while (!stream.current().isOperator(")")) {
            if (!parameters.isEmpty()) {
                stream.expectOperator(",");
            }
            NameTarget parameter = nameTarget();
            if (parameters.stream().anyMatch(known -> known.name().equals(parameter.name()))) {
                throw stream.error("duplicate argument '" + parameter.name() + "' in definition");
            }
            if (stream.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw stream.error("non-default argument follows default argument");
            }
            parameters.add(parameter);
        }
        stream.expectOperator(")");
    }

    private Stmt callBlock(int line) {
        List<NameTarget> parameters = new ArrayList<>();
        List<Expr> defaults = new ArrayList<>();
        if (stream.current().isOperator("(")) {
            signature(parameters, defaults);
        }
        if (!(expressions.expression() instanceof Expr.Call call)) {
            throw new TemplateSyntaxException("expected call", line);
        }
        return new Stmt.CallBlock(call, new Routine(parameters, defaults, bodyTo("endcall")), line);
    }

    private Stmt filterBlock(int line) {
        Expr filter = expressions.filter(Optional.empty());
        while (stream.skipOperator("|")) {
            filter = expressions.filter(Optional.of(filter));
        }
        return new Stmt.FilterBlock(bodyTo("endfilter"), filter, line);
    }

    private Stmt with(int line) {
        List<Target> targets = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!stream.current().is(Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                stream.expectOperator(",");
            }
            targets.add(target(false));
            stream.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Stmt.With(targets, values, bodyTo("endwith"), line);
    }

    private Stmt block(int line) {
        String name = stream.expect(Kind.NAME).text();
        boolean scoped = stream.skipName("scoped");
        boolean required = stream.skipName("required");
        if (stream.current().isOperator("-")) {
            throw stream.error("Block names in Jinja have to be valid Python identifiers and may not contain hyphens,"
                    + " use an underscore instead.");
        }
        List<Stmt> body = bodyTo("endblock");
        stream.skipName(name);
        return new Stmt.Block(name, body, scoped, required, line);
    }

    private void print(List<Stmt> body, int line) {
        boolean first = true;
        while (!stream.current().is(Kind.BLOCK_END)) {
            if (!first) {
                stream.expectOperator(",");
            }
            body.add(new Stmt.Print(expressions.expression(), line));
            first = false;
        }
    }

    private NameTarget nameTarget() {
        Token token = stream.expect(Kind.NAME);
        return assignable(token);
    }

    private NameTarget assignable(Token token) {
        if (CONSTANTS.contains(token.text())) {
            throw new TemplateSyntaxException("can't assign to 'const'", token.line());
        }
        return new NameTarget(token.text(), token.line());
    }

    /**
     * Something to assign to, or several with commas.
     *
     * @param attributes whether an attribute of a namespace will do
     */
    private Target target(boolean attributes) {
        int line = stream.current().line();
        List<Target> items = new ArrayList<>();
        boolean isTuple = false;
        while (!expressions.tupleEnds()) {
            items.add(singleTarget(attributes));
            if (!stream.skipOperator(",")) {
                break;
            }
            isTuple = true;
        }
        if (items.isEmpty()) {
            throw stream.error(
                    "Expected an expression, got '" + stream.current().describe() + "'");
        }
        return isTuple ? new Target.TupleTarget(items, line) : items.getFirst();
    }

    private Target singleTarget(boolean attributes) {
        Token token = stream.current();
        if (token.isOperator("(")) {
            if (++depth > MAX_DEPTH) {
                throw stream.error("the target is nested more than " + MAX_DEPTH + " levels deep");
            }
            stream.next();
            Target inner =
                    stream.current().isOperator(")") ? new Target.TupleTarget(List.of(), token.line()) : target(false);
            stream.expectOperator(")");
            depth--;
            return inner;
        }
        if (!token.is(Kind.NAME)) {
            throw stream.error("can't assign to '" + token.describe() + "'");
        }
        stream.next();
        NameTarget name = assignable(token);
        if (attributes && stream.skipOperator(".")) {
            return new Target.AttributeTarget(
                    name.name(), stream.expect(Kind.NAME).text(), token.line());
        }
        return name;
    }
}
