package skulk.runner.mlx.template;

import java.util.List;
import skulk.runner.mlx.template.Token.Kind;

/** The tokens of a template, read one after the other. */
final class TokenStream {
    private final List<Token> tokens;
    private int next;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(next);
    }

    Token look() {
        return tokens.get(Math.min(next + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = current();
        if (next < tokens.size() - 1) {
            next++;
        }
        return token;
    }

    boolean skipName(String name) {
        boolean found = current().isName(name);
        if (found) {
            next();
        }
        return found;
    }

    boolean skipOperator(String symbol) {
        boolean found = current().isOperator(symbol);
        if (found) {
            next();
        }
        return found;
    }

    Token expect(Kind kind) {
        if (!current().is(kind)) {
            throw expected(new Token(kind, "name", null, 0).describe());
        }
        return next();
    }

    Token expectName(String name) {
        if (!current().isName(name)) {
            throw expected(name);
        }
        return next();
    }

    Token expectOperator(String symbol) {
        if (!current().isOperator(symbol)) {
            throw expected(symbol);
        }
        return next();
    }

    private TemplateSyntaxException expected(String what) {
        if (current().is(Kind.END)) {
            return error("unexpected end of template, expected '" + what + "'.");
        }
        return error("expected token '" + what + "', got '" + current().describe() + "'");
    }

    TemplateSyntaxException error(String message) {
        return new TemplateSyntaxException(message, current().line());
    }
}
