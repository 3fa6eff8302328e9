package skulk.kernel.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * The part of TOML 1.0 that model cards use: comments, tables of one level, bare keys, strings in double or single quotes, integers, floats, booleans and arrays of
 * these, arrays also over several lines. Everything else is refused with its line.
 */
final class Toml {
    private final String text;
    private int at;
    private int line = 1;

    private Toml(String text) {
        this.text = text;
    }

    /** @throws JsonException naming the line that is not understood */
    static JsonObject parse(String text) {
        return new Toml(text).document();
    }

    private JsonObject document() {
        SequencedMap<String, Json> root = new LinkedHashMap<>();
        SequencedMap<String, SequencedMap<String, Json>> tables = new LinkedHashMap<>();
        SequencedMap<String, Json> current = root;
        for (skip(true); at < text.length(); skip(true)) {
            if (peek() == '[') {
                at++;
                String name = key();
                expect(']');
                current = new LinkedHashMap<>();
                if (root.containsKey(name) || tables.putIfAbsent(name, current) != null) {
                    throw wrong("table [" + name + "] is there twice");
                }
            } else {
                String name = key();
                skip(false);
                expect('=');
                skip(false);
                if (current.putIfAbsent(name, value()) != null) {
                    throw wrong("'" + name + "' is there twice");
                }
            }
            endOfLine();
        }
        tables.forEach((name, members) -> root.put(name, new JsonObject(members)));
        return new JsonObject(root);
    }

    private String key() {
        skip(false);
        int start = at;
        while (at < text.length() && (Character.isLetterOrDigit(peek()) || peek() == '_' || peek() == '-')) {
            at++;
        }
        if (at == start) {
            throw wrong("a key is missing");
        }
        String name = text.substring(start, at);
        skip(false);
        return name;
    }

    private Json value() {
        return switch (peek()) {
            case '"' -> new JsonString(basic());
            case '\'' -> new JsonString(literal());
            case '[' -> array();
            default -> word();
        };
    }

    private Json array() {
        at++;
        List<Json> items = new ArrayList<>();
        for (skip(true); peek() != ']'; skip(true)) {
            items.add(value());
            skip(true);
            if (peek() == ',') {
                at++;
            } else if (peek() != ']') {
                throw wrong("',' or ']' is missing in an array");
            }
        }
        at++;
        return new JsonArray(items);
    }

    private String literal() {
        int end = text.indexOf('\'', at + 1);
        if (end < 0 || text.substring(at, end).contains("\n")) {
            throw wrong("a string is not closed");
        }
        String value = text.substring(at + 1, end);
        at = end + 1;
        return value;
    }

    private String basic() {
        StringBuilder out = new StringBuilder();
        at++;
        while (peek() != '"') {
            char c = peek();
            if (c == '\n' || at >= text.length()) {
                throw wrong("a string is not closed");
            }
            at++;
            out.append(c == '\\' ? escaped() : c);
        }
        at++;
        return out.toString();
    }

    private char escaped() {
        char c = peek();
        at++;
        return switch (c) {
            case '"', '\\' -> c;
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'u' -> {
                if (at + 4 > text.length()) {
                    throw wrong("\\u needs four digits");
                }
                char code = (char) Integer.parseInt(text.substring(at, at + 4), 16);
                at += 4;
                yield code;
            }
            default -> throw wrong("\\" + c + " is not an escape");
        };
    }

    private Json word() {
        int start = at;
        while (at < text.length() && " \t\r\n,]#".indexOf(peek()) < 0) {
            at++;
        }
        String word = text.substring(start, at);
        if (word.equals("true") || word.equals("false")) {
            return new JsonBoolean(word.equals("true"));
        }
        String number = word.replaceAll("(?<=\\d)_(?=\\d)", "").replaceFirst("^\\+", "");
        if (!number.matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?")) {
            throw wrong("'" + word + "' is not a value");
        }
        return new JsonNumber(number);
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private void expect(char c) {
        if (peek() != c) {
            throw wrong("'" + c + "' is missing");
        }
        at++;
    }

    private void skip(boolean lines) {
        while (at < text.length()) {
            char c = peek();
            if (c == '#') {
                while (at < text.length() && peek() != '\n') {
                    at++;
                }
            } else if (c == '\n' && lines) {
                line++;
                at++;
            } else if (c == ' ' || c == '\t' || c == '\r') {
                at++;
            } else {
                return;
            }
        }
    }

    private void endOfLine() {
        skip(false);
        if (at < text.length() && peek() != '\n') {
            throw wrong("one thing per line");
        }
    }

    private JsonException wrong(String what) {
        return new JsonException("line " + line + ": " + what, at);
    }

    /** Writes an object of plain values, arrays of these and objects of these. */
    static String write(JsonObject object) {
        StringBuilder out = new StringBuilder();
        StringBuilder tables = new StringBuilder();
        for (Map.Entry<String, Json> member : object.members().entrySet()) {
            if (member.getValue() instanceof JsonObject table) {
                if (!table.members().isEmpty()) {
                    tables.append("\n[").append(member.getKey()).append("]\n");
                    table.members().forEach((name, value) -> line(tables, name, value));
                }
            } else {
                line(out, member.getKey(), member.getValue());
            }
        }
        return out.append(tables).toString();
    }

    private static void line(StringBuilder out, String name, Json value) {
        out.append(name).append(" = ").append(value).append('\n'); // JSON's strings, numbers and arrays are TOML's
    }
}
