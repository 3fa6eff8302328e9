package skulk.runner.mlx.text;

import java.util.Set;
import java.util.function.Predicate;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonString;

/**
 * Reads a call written as one JSON object with a name and arguments, in either order: {@code {"name": …, "arguments":
 * {…}}}, with {@code parameters} or other spellings, also nested as {@code {"function": {…}}}, or the tool's name as
 * the only key. Arguments are passed on as the model writes them.
 */
final class JsonCallReader implements CallReader {
    private static final Set<String> NAMES = Set.of("name", "tool_name", "function_name");
    private static final Set<String> ARGUMENTS = Set.of("arguments", "parameters", "args", "input", "kwargs");

    private enum At {
        OBJECT,
        KEY,
        IN_KEY,
        COLON,
        VALUE,
        IN_VALUE,
        AFTER_VALUE
    }

    private enum Role {
        NAME,
        ARGUMENTS,
        OTHER
    }

    private final OutputSink sink;
    private final Predicate<String> known;
    private final boolean onlyKnown;
    private final StringBuilder key = new StringBuilder();
    private final StringBuilder value = new StringBuilder();
    private final StringBuilder early = new StringBuilder();
    private At at = At.OBJECT;
    private Role role = Role.OTHER;
    private int levels;
    private int depth;
    private boolean inString;
    private boolean escaped;
    private boolean started;
    private boolean argued;

    /**
     * @param known the names of offered tools
     * @param onlyKnown whether an object that names no offered tool is not a call
     */
    JsonCallReader(OutputSink sink, Predicate<String> known, boolean onlyKnown) {
        this.sink = sink;
        this.known = known;
        this.onlyKnown = onlyKnown;
    }

    @Override
    public boolean started() {
        return started;
    }

    @Override
    public State accept(char c) {
        if (at != At.IN_KEY && at != At.IN_VALUE && Character.isWhitespace(c)) {
            return State.MORE;
        }
        return switch (at) {
            case OBJECT -> step(c == '{', At.KEY, 1);
            case KEY -> c == '}' ? closeLevel() : beginKey(c);
            case IN_KEY -> inKey(c);
            case COLON -> step(c == ':', At.VALUE, 0);
            case VALUE -> beginValue(c);
            case IN_VALUE -> inValue(c);
            case AFTER_VALUE -> c == '}' ? closeLevel() : step(c == ',', At.KEY, 0);
        };
    }

    private State step(boolean expected, At next, int deeper) {
        at = next;
        levels += deeper;
        return expected ? State.MORE : State.REJECTED;
    }

    private State beginKey(char c) {
        key.setLength(0);
        return step(c == '"', At.IN_KEY, 0);
    }

    private State inKey(char c) {
        if (c == '"' && !escaped) {
            at = At.COLON;
        } else {
            key.append(c);
        }
        escaped = c == '\\' && !escaped;
        return State.MORE;
    }

    private State beginValue(char c) {
        String name = key.toString();
        if (name.equals("function") && c == '{') {
            return step(true, At.KEY, 1);
        }
        boolean keyIsTool = c == '{' && !started && known.test(name) && !ARGUMENTS.contains(name);
        if (keyIsTool) {
            start(name);
        }
        boolean naming = NAMES.contains(name) || name.equals("function");
        role = naming ? Role.NAME : keyIsTool || ARGUMENTS.contains(name) ? Role.ARGUMENTS : Role.OTHER;
        if (role == Role.NAME && c != '"') {
            return State.REJECTED;
        }
        at = At.IN_VALUE;
        value.setLength(0);
        depth = 0;
        inString = false;
        escaped = false;
        return inValue(c);
    }

    private State inValue(char c) {
        if (!inString && depth == 0 && (c == ',' || c == '}' || Character.isWhitespace(c)) && !value.isEmpty()) {
            // a number or a word ends at what follows it
            return endValue() ? accept(c) : State.REJECTED;
        }
        value.append(c);
        boolean whole = false;
        if (inString) {
            whole = c == '"' && !escaped && depth == 0;
            inString = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
        } else if (c == '"') {
            inString = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            whole = --depth == 0;
        }
        if (role == Role.ARGUMENTS && value.charAt(0) == '{') {
            pass(String.valueOf(c));
        }
        return !whole || endValue() ? State.MORE : State.REJECTED;
    }

    /** @return whether this may still be a call */
    private boolean endValue() {
        at = At.AFTER_VALUE;
        if (role == Role.NAME) {
            String name = unquoted(value.toString());
            return !name.isEmpty() && (known.test(name) || !onlyKnown) && start(name);
        }
        if (role == Role.ARGUMENTS && value.charAt(0) == '"') {
            pass(unquoted(value.toString()));
        } else if (role == Role.ARGUMENTS
                && value.charAt(0) != '{'
                && !value.toString().equals("null")) {
            pass(value.toString());
        }
        return true;
    }

    private boolean start(String name) {
        if (!started) {
            started = true;
            sink.callStarted(name);
            if (!early.isEmpty()) {
                sink.callArguments(early.toString());
            }
        }
        return true;
    }

    private void pass(String json) {
        argued = true;
        if (started) {
            sink.callArguments(json);
        } else {
            early.append(json);
        }
    }

    private State closeLevel() {
        at = At.AFTER_VALUE;
        if (--levels > 0) {
            return State.MORE;
        }
        if (!started) {
            return State.REJECTED;
        }
        if (!argued) {
            sink.callArguments("{}");
        }
        sink.callEnded();
        return State.DONE;
    }

    private static String unquoted(String json) {
        try {
            return Json.parse(json) instanceof JsonString(String text) ? text : "";
        } catch (JsonException e) {
            return "";
        }
    }
}
