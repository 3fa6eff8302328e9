package skulk.runner.mlx.text;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a call written as a name followed by a JSON object: {@code get_weather[ARGS]{…}}, {@code
 * function<｜tool▁sep｜>get_weather\n```json\n{…}}, {@code functions.get_weather:0<|tool_call_argument_begin|>{…}},
 * {@code get_weather>{…}}.
 */
final class NamedCallReader implements CallReader {
    /** Special tokens between the name and the arguments. */
    static final List<String> MARKERS = List.of(
            "[ARGS]",
            "[CALL_ID]",
            "<｜tool▁sep｜>",
            "<|tool_call_argument_begin|>",
            "<|tool_call:name|>",
            "<|tool_call:args|>");

    private static final int LONGEST_HEADER = 512;
    /** Markers that lead over from the name to the arguments. */
    private static final Pattern SEPARATOR = Pattern.compile("<[^>]*>|\\[ARGS]|\\[CALL_ID]|```\\w*|>|\\s+");
    /** Kimi numbers its calls. */
    private static final Pattern NUMBERED = Pattern.compile("(?:functions\\.)?([^:]+)(?::\\d+)?");

    private final OutputSink sink;
    private final StringBuilder header = new StringBuilder();
    private boolean started;
    private int depth;
    private boolean inString;
    private boolean escaped;

    NamedCallReader(OutputSink sink) {
        this.sink = sink;
    }

    @Override
    public boolean started() {
        return started;
    }

    @Override
    public State accept(char c) {
        if (!started) {
            if (c != '{') {
                header.append(c);
                return header.length() > LONGEST_HEADER ? State.REJECTED : State.MORE;
            }
            String name = name(header.toString());
            if (name.isEmpty()) {
                return State.REJECTED;
            }
            started = true;
            sink.callStarted(name);
        }
        sink.callArguments(String.valueOf(c));
        if (inString) {
            inString = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
        } else if (c == '"') {
            inString = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            sink.callEnded();
            return State.DONE;
        }
        return State.MORE;
    }

    private static String name(String header) {
        int marked = header.indexOf("<|tool_call:name|>");
        String text = marked < 0 ? header : header.substring(marked + "<|tool_call:name|>".length());
        for (String part : SEPARATOR.split(text)) {
            // DeepSeek writes the kind of the tool before its name
            if (!part.isBlank() && !part.equals("function")) {
                Matcher matcher = NUMBERED.matcher(part.strip());
                return matcher.matches() ? matcher.group(1) : part.strip();
            }
        }
        return "";
    }
}
