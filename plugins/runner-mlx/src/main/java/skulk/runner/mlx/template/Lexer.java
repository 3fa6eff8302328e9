package skulk.runner.mlx.template;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.runner.mlx.template.Token.Kind;

/**
 * Splits a template into tokens as jinja2/lexer.py does with {@code trim_blocks} and {@code lstrip_blocks} on and
 * {@code keep_trailing_newline} off.
 */
final class Lexer {
    private static final String SPACE = "[\\s\\x1c-\\x1f\\x85\\p{Z}]*";
    private static final Pattern RAW_BEGIN =
            Pattern.compile("\\{%([-+]?)" + SPACE + "raw" + SPACE + "(?:-%\\}" + SPACE + "|%\\})");
    private static final Pattern RAW_END =
            Pattern.compile("\\{%([-+]?)" + SPACE + "endraw" + SPACE + "(?:\\+%\\}|-%\\}" + SPACE + "|%\\}\n?)");
    private static final Pattern COMMENT_END = Pattern.compile("\\+#\\}|-#\\}" + SPACE + "|#\\}\n?");
    private static final Pattern BLOCK_END = Pattern.compile("\\+%\\}|-%\\}" + SPACE + "|%\\}\n?");
    private static final Pattern VARIABLE_END = Pattern.compile("-\\}\\}" + SPACE + "|\\}\\}");
    private static final Pattern FLOAT = Pattern.compile(
            "(?:[0-9]+_)*[0-9]+(?:(?:\\.(?:[0-9]+_)*[0-9]+)?[eE][+-]?(?:[0-9]+_)*[0-9]+|\\.(?:[0-9]+_)*[0-9]+)");
    private static final Pattern INTEGER = Pattern.compile(
            "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+" + "|[1-9](?:_?[0-9])*|0(?:_?0)*");
    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{Nd}\\p{Nl}\\p{Mn}\\p{Mc}_\u00b7]+");
    private static final Pattern STRING =
            Pattern.compile("'[^'\\\\]*+(?:\\\\.[^'\\\\]*+)*+'|\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"", Pattern.DOTALL);
    private static final Pattern OPERATOR = Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}><=.:|,;]");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private final Deque<String> brackets = new ArrayDeque<>();
    private int position;
    private int line = 1;
    private boolean lineStarting = true;

    Lexer(String source) {
        String text = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    List<Token> tokens() {
        while (position < source.length()) {
            text();
        }
        tokens.add(new Token(Kind.END, "", null, line));
        return tokens;
    }

    /** Reads the text up to the next tag, and the tag. */
    private void text() {
        int tag = nextTag();
        if (tag < 0) {
            data(source.substring(position));
            advance(source.length());
            return;
        }
        char type = source.charAt(tag + 1);
        char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
        Matcher raw = RAW_BEGIN.matcher(source).region(tag, source.length());
        boolean isRaw = type == '%' && raw.lookingAt();
        data(beforeTag(source.substring(position, tag), sign, type != '{'));
        int begin = sign == '-' || sign == '+' ? tag + 3 : tag + 2;
        advance(isRaw ? raw.end() : begin);
        switch (isRaw ? 'r' : type) {
            case 'r' -> raw();
            case '#' -> comment();
            case '%' -> tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, BLOCK_END);
            default -> tag(Kind.VARIABLE_BEGIN, Kind.VARIABLE_END, VARIABLE_END);
        }
    }

    private int nextTag() {
        for (int i = source.indexOf('{', position); i >= 0; i = source.indexOf('{', i + 1)) {
            if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /** What a tag leaves of the text before it. */
    private String beforeTag(String text, char sign, boolean stripsLine) {
        if (sign == '-') {
            return Str.stripRight(text);
        }
        if (sign != '+' && stripsLine) {
            int lineStart = text.lastIndexOf('\n') + 1;
            if ((lineStart > 0 || lineStarting) && Str.isBlank(text, lineStart)) {
                return text.substring(0, lineStart);
            }
        }
        return text;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.DATA, text, null, line));
        }
    }

    private void advance(int to) {
        for (int i = position; i < to; i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
        lineStarting = to > position && source.charAt(to - 1) == '\n';
        position = to;
    }

    private void comment() {
        Matcher end = COMMENT_END.matcher(source);
        if (position == source.length()) {
            return; // Jinja does not miss the end of what has not begun
        }
        if (!end.find(position)) {
            throw new TemplateSyntaxException("Missing end of comment tag", line);
        }
        advance(end.end());
    }

    private void raw() {
        Matcher end = RAW_END.matcher(source);
        if (position == source.length()) {
            return;
        }
        if (!end.find(position)) {
            throw new TemplateSyntaxException("Missing end of raw directive", line);
        }
        String sign = end.group(1);
        data(beforeTag(source.substring(position, end.start()), sign.isEmpty() ? ' ' : sign.charAt(0), true));
        advance(end.end());
    }

    private void tag(Kind begin, Kind end, Pattern endPattern) {
        tokens.add(new Token(begin, "", null, line));
        while (position < source.length()) {
            Matcher closing = at(endPattern);
            if (brackets.isEmpty() && closing.lookingAt()) {
                tokens.add(new Token(end, "", null, line));
                advance(closing.end());
                return;
            }
            inner();
        }
    }

    private Matcher at(Pattern pattern) {
        return pattern.matcher(source).region(position, source.length());
    }

    private void inner() {
        if (Str.isSpace(source.charAt(position))) {
            advance(position + 1);
            return;
        }
        Matcher matcher = at(FLOAT);
        boolean afterPoint = position > 0 && source.charAt(position - 1) == '.';
        if (!afterPoint && matcher.lookingAt()) {
            add(Kind.FLOAT, matcher, Double.valueOf(matcher.group().replace("_", "")));
        } else if (matcher.usePattern(INTEGER).lookingAt()) {
            add(Kind.INTEGER, matcher, integer(matcher.group().replace("_", "")));
        } else if (matcher.usePattern(NAME).lookingAt()) {
            if (!Character.isUnicodeIdentifierStart(matcher.group().codePointAt(0))
                    && matcher.group().charAt(0) != '_') {
                throw new TemplateSyntaxException("Invalid character in identifier", line);
            }
            add(Kind.NAME, matcher, null);
        } else if (matcher.usePattern(STRING).lookingAt()) {
            String text = matcher.group();
            add(Kind.STRING, matcher, new StringLiteral(text.substring(1, text.length() - 1), line).value());
        } else if (matcher.usePattern(OPERATOR).lookingAt()) {
            balance(matcher.group());
            add(Kind.OPERATOR, matcher, null);
        } else {
            throw new TemplateSyntaxException(
                    "unexpected char " + Repr.quote(source.substring(position, position + 1)) + " at " + position,
                    line);
        }
    }

    private void add(Kind kind, Matcher matcher, Object value) {
        tokens.add(new Token(kind, matcher.group(), value, line));
        advance(matcher.end());
    }

    private static Object integer(String digits) {
        String prefix = digits.length() > 2 ? digits.substring(0, 2).toLowerCase(java.util.Locale.ROOT) : "";
        return Numbers.normal(
                switch (prefix) {
                    case "0x" -> new BigInteger(digits.substring(2), 16);
                    case "0o" -> new BigInteger(digits.substring(2), 8);
                    case "0b" -> new BigInteger(digits.substring(2), 2);
                    default -> new BigInteger(digits);
                });
    }

    private void balance(String operator) {
        switch (operator) {
            case "{" -> brackets.push("}");
            case "(" -> brackets.push(")");
            case "[" -> brackets.push("]");
            case "}", ")", "]" -> {
                if (brackets.isEmpty()) {
                    throw new TemplateSyntaxException("unexpected '" + operator + "'", line);
                }
                String expected = brackets.pop();
                if (!expected.equals(operator)) {
                    throw new TemplateSyntaxException(
                            "unexpected '" + operator + "', expected '" + expected + "'", line);
                }
            }
            default -> {
                // not a bracket
            }
        }
    }
}
