package skulk.runner.mlx.template;

/**
 * One token of a template.
 *
 * @param kind what it is
 * @param text its text; for an operator its symbol, for a name the name
 * @param value of a string or number
 * @param line counted from one
 */
record Token(Kind kind, String text, Object value, int line) {
    enum Kind {
        DATA,
        BLOCK_BEGIN,
        BLOCK_END,
        VARIABLE_BEGIN,
        VARIABLE_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind other) {
        return kind == other;
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String symbol) {
        return kind == Kind.OPERATOR && text.equals(symbol);
    }

    /** How an error names the token. */
    String describe() {
        return switch (kind) {
            case NAME, OPERATOR -> text;
            case DATA -> "template data / text";
            case BLOCK_BEGIN -> "begin of statement block";
            case BLOCK_END -> "end of statement block";
            case VARIABLE_BEGIN -> "begin of print statement";
            case VARIABLE_END -> "end of print statement";
            case STRING -> "string";
            case INTEGER -> "integer";
            case FLOAT -> "float";
            case END -> "end of template";
        };
    }
}
