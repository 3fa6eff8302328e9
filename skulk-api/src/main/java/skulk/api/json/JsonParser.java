package skulk.api.json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** A recursive-descent parser of RFC 8259; one instance parses one text. */
final class JsonParser {
    /** Deeper nesting is refused, so that hostile input cannot exhaust the stack. */
    static final int MAX_DEPTH = 500;

    private final String text;
    private int at;
    private int depth;

    JsonParser(String text) {
        this.text = text;
    }

    Json parseDocument() {
        Json value = parseValue();
        skipSpace();
        if (at < text.length()) {
            throw error("unexpected text after the value");
        }
        return value;
    }

    private Json parseValue() {
        skipSpace();
        if (at >= text.length()) {
            throw error("unexpected end of text");
        }
        return switch (text.charAt(at)) {
            case '{' -> parseObject();
            case '[' -> parseArray();
            case '"' -> new JsonString(parseString());
            case 't' -> literal("true", new JsonBoolean(true));
            case 'f' -> literal("false", new JsonBoolean(false));
            case 'n' -> literal("null", Json.NULL);
            default -> parseNumber();
        };
    }

    private Json literal(String word, Json value) {
        if (!text.startsWith(word, at)) {
            throw error("unexpected character");
        }
        at += word.length();
        return value;
    }

    private JsonObject parseObject() {
        enter();
        SequencedMap<String, Json> members = new LinkedHashMap<>();
        at++;
        if (!closes('}')) {
            do {
                skipSpace();
                if (at >= text.length() || text.charAt(at) != '"') {
                    throw error("expected a member name");
                }
                int nameAt = at;
                String name = parseString();
                expect(':');
                if (members.put(name, parseValue()) != null) {
                    at = nameAt;
                    throw error("duplicate name '" + name + "'");
                }
            } while (continues('}'));
        }
        depth--;
        return new JsonObject(members);
    }

    private JsonArray parseArray() {
        enter();
        List<Json> items = new ArrayList<>();
        at++;
        if (!closes(']')) {
            do {
                items.add(parseValue());
            } while (continues(']'));
        }
        depth--;
        return new JsonArray(items);
    }

    private void enter() {
        if (++depth > MAX_DEPTH) {
            throw error("nested deeper than " + MAX_DEPTH);
        }
    }

    private boolean closes(char end) {
        skipSpace();
        if (at < text.length() && text.charAt(at) == end) {
            at++;
            return true;
        }
        return false;
    }

    private boolean continues(char end) {
        skipSpace();
        if (at < text.length() && text.charAt(at) == ',') {
            at++;
            return true;
        }
        expect(end);
        return false;
    }

    private void expect(char c) {
        skipSpace();
        if (at >= text.length() || text.charAt(at) != c) {
            throw error("expected '" + c + "'");
        }
        at++;
    }

    private String parseString() {
        int start = ++at;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                return text.substring(start, at++);
            }
            if (c == '\\') {
                return parseEscapedString(start);
            }
            checkRaw(c);
            at++;
        }
        throw error("unterminated string");
    }

    private String parseEscapedString(int start) {
        StringBuilder out = new StringBuilder(text.substring(start, at));
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                at++;
                return out.toString();
            }
            if (c == '\\') {
                at++;
                out.append(parseEscape());
            } else {
                checkRaw(c);
                out.append(c);
                at++;
            }
        }
        throw error("unterminated string");
    }

    private void checkRaw(char c) {
        if (c < 0x20) {
            throw error("control character in a string");
        }
    }

    private char parseEscape() {
        if (at >= text.length()) {
            throw error("unterminated string");
        }
        char c = text.charAt(at++);
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> parseHex();
            default -> {
                at--;
                throw error("unknown escape");
            }
        };
    }

    private char parseHex() {
        if (at + 4 > text.length()) {
            throw error("unterminated escape");
        }
        int value = 0;
        for (int end = at + 4; at < end; at++) {
            int digit = text.charAt(at) < 128 ? Character.digit(text.charAt(at), 16) : -1;
            if (digit < 0) {
                throw error("expected a hexadecimal digit");
            }
            value = value << 4 | digit;
        }
        return (char) value;
    }

    private JsonNumber parseNumber() {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        if (peek() == '0') {
            at++;
        } else {
            digits();
        }
        if (peek() == '.') {
            at++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            at++;
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            digits();
        }
        return new JsonNumber(text.substring(start, at));
    }

    private void digits() {
        int start = at;
        while (peek() >= '0' && peek() <= '9') {
            at++;
        }
        if (at == start) {
            throw error(at < text.length() ? "unexpected character" : "unexpected end of text");
        }
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private void skipSpace() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
                return;
            }
            at++;
        }
    }

    private JsonException error(String message) {
        return new JsonException(message, at);
    }
}
