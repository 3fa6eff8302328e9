package skulk.api.json;

import java.util.Iterator;
import java.util.Map;

/** Writes JSON text; non-ASCII characters are written as they are, unpaired surrogates as escapes. */
final class JsonWriter {
    private final int indent;
    private final StringBuilder out = new StringBuilder();
    private int level;

    JsonWriter(int indent) {
        this.indent = indent;
    }

    String write(Json value) {
        append(value);
        return out.toString();
    }

    private void append(Json value) {
        switch (value) {
            case JsonObject object -> appendObject(object);
            case JsonArray array -> appendArray(array);
            case JsonString(String s) -> appendString(s);
            default -> out.append(value);
        }
    }

    private void appendObject(JsonObject object) {
        out.append('{');
        level++;
        Iterator<Map.Entry<String, Json>> members = object.members().entrySet().iterator();
        while (members.hasNext()) {
            Map.Entry<String, Json> member = members.next();
            newLine();
            appendString(member.getKey());
            out.append(indent > 0 ? ": " : ":");
            append(member.getValue());
            if (members.hasNext()) {
                out.append(',');
            }
        }
        level--;
        if (!object.members().isEmpty()) {
            newLine();
        }
        out.append('}');
    }

    private void appendArray(JsonArray array) {
        out.append('[');
        level++;
        for (int i = 0; i < array.size(); i++) {
            newLine();
            append(array.items().get(i));
            if (i + 1 < array.size()) {
                out.append(',');
            }
        }
        level--;
        if (array.size() > 0) {
            newLine();
        }
        out.append(']');
    }

    private void newLine() {
        if (indent > 0) {
            out.append('\n').repeat(' ', indent * level);
        }
    }

    private void appendString(String s) {
        out.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || (Character.isSurrogate(c) && !isPaired(s, i))) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    private static boolean isPaired(String s, int i) {
        return Character.isHighSurrogate(s.charAt(i))
                ? i + 1 < s.length() && Character.isLowSurrogate(s.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(s.charAt(i - 1));
    }
}
