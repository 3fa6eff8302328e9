package skulk.runner.mlx.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * Values as models write them outside JSON: Python literals, and Gemma's notation with bare keys and quotes of its own.
 */
final class LooseLiterals {
    /** Gemma's two forms first: they contain or resemble the plain ones. */
    static final List<String> QUOTES = List.of("<|\"|>", "<escape>", "\"", "'");

    private static final int DEEPEST = 64;

    private final String text;
    private int at;

    LooseLiterals(String text) {
        this.text = text;
    }

    /** {@code key=value, …} or {@code key: value, …} to the end. @throws JsonException where it is something else */
    JsonObject members() {
        JsonObject members = members('\0', 0);
        if (at < text.length()) {
            throw wrong("the end");
        }
        return members;
    }

    private JsonObject members(char close, int depth) {
        SequencedMap<String, Json> members = new LinkedHashMap<>();
        while (!ends(close)) {
            String key = key();
            skipSpace();
            if (!take("=") && !take(":")) {
                throw wrong("a value");
            }
            members.put(key, value(depth));
            skipSpace();
            if (!take(",") && !ends(close)) {
                throw wrong("a comma");
            }
        }
        return new JsonObject(members);
    }

    private boolean ends(char close) {
        skipSpace();
        return at >= text.length() || text.charAt(at) == close;
    }

    private String key() {
        for (String quote : QUOTES) {
            if (take(quote)) {
                return quoted(quote);
            }
        }
        return word();
    }

    private Json value(int depth) {
        if (depth > DEEPEST) {
            throw wrong("less nesting");
        }
        skipSpace();
        for (String quote : QUOTES) {
            if (take(quote)) {
                return new JsonString(quoted(quote));
            }
        }
        if (take("{")) {
            JsonObject object = members('}', depth + 1);
            return close("}", object);
        }
        if (take("[")) {
            return close("]", items(']', depth + 1));
        }
        if (take("(")) {
            return close(")", items(')', depth + 1));
        }
        return scalar(word());
    }

    private JsonArray items(char close, int depth) {
        List<Json> items = new ArrayList<>();
        while (!ends(close)) {
            items.add(value(depth));
            skipSpace();
            if (!take(",") && !ends(close)) {
                throw wrong("a comma");
            }
        }
        return new JsonArray(items);
    }

    private Json close(String bracket, Json value) {
        if (!take(bracket)) {
            throw wrong(bracket);
        }
        return value;
    }

    private static Json scalar(String word) {
        return switch (word) {
            case "True", "true" -> new JsonBoolean(true);
            case "False", "false" -> new JsonBoolean(false);
            case "None", "null" -> Json.NULL;
            default -> {
                try {
                    yield Json.parse(word) instanceof JsonNumber number ? number : new JsonString(word);
                } catch (JsonException e) {
                    yield new JsonString(word);
                }
            }
        };
    }

    private String word() {
        int from = at;
        while (at < text.length() && ",:=(){}[]\"'".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(from, at).strip();
        if (word.isEmpty()) {
            throw wrong("a value");
        }
        return word;
    }

    private String quoted(String quote) {
        StringBuilder value = new StringBuilder();
        while (at < text.length()) {
            if (take(quote)) {
                return value.toString();
            }
            char c = text.charAt(at++);
            if (c == '\\' && quote.length() == 1 && at < text.length()) {
                char escaped = text.charAt(at++);
                value.append(
                        switch (escaped) {
                            case 'n' -> "\n";
                            case 't' -> "\t";
                            case 'r' -> "\r";
                            case '\\', '"', '\'' -> String.valueOf(escaped);
                            default -> "\\" + escaped;
                        });
            } else {
                value.append(c);
            }
        }
        throw wrong(quote);
    }

    private boolean take(String expected) {
        if (text.startsWith(expected, at)) {
            at += expected.length();
            return true;
        }
        return false;
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private JsonException wrong(String wanted) {
        return new JsonException("expected " + wanted, at);
    }
}
