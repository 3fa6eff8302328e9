package skulk.runner.mlx.template;

/** Reads the escapes of a string literal as Python's {@code unicode-escape} codec does. */
final class StringLiteral {
    private final String body;
    private final int line;
    private final StringBuilder value = new StringBuilder();
    private int position;

    StringLiteral(String body, int line) {
        this.body = body;
        this.line = line;
    }

    String value() {
        if (body.indexOf('\\') < 0) {
            return body;
        }
        while (position < body.length()) {
            char c = body.charAt(position++);
            if (c == '\\') {
                escape();
            } else {
                value.append(c);
            }
        }
        return value.toString();
    }

    private void escape() {
        int c = body.codePointAt(position);
        position += Character.charCount(c);
        switch (c) {
            case '\n' -> {
                // a line continued
            }
            case '\\', '\'', '"' -> value.append((char) c);
            case 'a' -> value.append('\u0007');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'n' -> value.append('\n');
            case 'r' -> value.append('\r');
            case 't' -> value.append('\t');
            case 'v' -> value.append('\u000b');
            case '0', '1', '2', '3', '4', '5', '6', '7' -> octal();
            case 'x' -> hexadecimal(2);
            case 'u' -> hexadecimal(4);
            case 'U' -> hexadecimal(8);
            case 'N' -> named();
            // Jinja turns what is not ASCII into an escape first, whose backslash the one before it takes away.
            default ->
                value.append('\\')
                        .append(c < 128 ? Character.toString(c) : Repr.hex(c).substring(1));
        }
    }

    private void octal() {
        int start = position - 1;
        while (position < body.length() && position < start + 3 && "01234567".indexOf(body.charAt(position)) >= 0) {
            position++;
        }
        value.append((char) Integer.parseInt(body.substring(start, position), 8));
    }

    private void hexadecimal(int digits) {
        int end = position + digits;
        String text = end <= body.length() ? body.substring(position, end) : "";
        if (text.isEmpty() || !text.chars().allMatch(c -> Character.digit(c, 16) >= 0 && c < 128)) {
            throw new TemplateSyntaxException("truncated \\" + body.charAt(position - 1) + " escape", line);
        }
        long code = Long.parseLong(text, 16);
        if (code > Character.MAX_CODE_POINT) {
            throw new TemplateSyntaxException("illegal Unicode character", line);
        }
        value.appendCodePoint((int) code);
        position = end;
    }

    private void named() {
        int close = body.indexOf('}', position);
        if (position >= body.length() || body.charAt(position) != '{' || close < 0) {
            throw new TemplateSyntaxException("malformed \\N character escape", line);
        }
        try {
            value.appendCodePoint(Character.codePointOf(body.substring(position + 1, close)));
        } catch (IllegalArgumentException e) {
            throw new TemplateSyntaxException("unknown Unicode character name", line);
        }
        position = close + 1;
    }
}
