package skulk.runner.mlx.text;

import java.util.regex.Pattern;
import skulk.api.json.JsonException;

/**
 * Reads a call in notations that are not JSON: Python's {@code get_weather(city="Paris")} and Gemma's {@code
 * call:get_weather{city:<|"|>Paris<|"|>}}. The arguments come out as JSON when the call is whole.
 */
final class LooseCallReader implements CallReader {
    private static final int LONGEST_NAME = 256;
    private static final Pattern NAME = Pattern.compile("[\\w.:/-]+");

    private final OutputSink sink;
    private final char open;
    private final StringBuilder header = new StringBuilder();
    private final StringBuilder body = new StringBuilder();
    private int depth;
    private boolean started;
    private String quote = "";

    /** @param open what begins the arguments: a parenthesis or a brace */
    LooseCallReader(OutputSink sink, char open) {
        this.sink = sink;
        this.open = open;
    }

    @Override
    public boolean started() {
        return started;
    }

    @Override
    public State accept(char c) {
        if (depth == 0) {
            if (c == open) {
                depth = 1;
                return NAME.matcher(header).matches() ? State.MORE : State.REJECTED;
            }
            header.append(c);
            return Character.isWhitespace(c) || header.length() > LONGEST_NAME ? State.REJECTED : State.MORE;
        }
        body.append(c);
        if (!quote.isEmpty()) {
            if (endsWith(quote) && !(quote.length() == 1 && backslashes() % 2 == 1)) {
                quote = "";
            }
            return State.MORE;
        }
        quote = LooseLiterals.QUOTES.stream().filter(this::endsWith).findFirst().orElse("");
        if (quote.isEmpty() && "({[".indexOf(c) >= 0) {
            depth++;
        } else if (quote.isEmpty() && ")}]".indexOf(c) >= 0 && --depth == 0) {
            return end();
        }
        return State.MORE;
    }

    private State end() {
        body.setLength(body.length() - 1);
        String arguments;
        try {
            arguments = new LooseLiterals(body.toString()).members().toString();
        } catch (JsonException e) {
            return State.REJECTED;
        }
        started = true;
        sink.callStarted(name());
        sink.callArguments(arguments);
        sink.callEnded();
        return State.DONE;
    }

    /** Gemma puts a word before the name, Llama's built-in tools one behind it. */
    private String name() {
        String name = header.toString();
        name = name.startsWith("call:") ? name.substring("call:".length()) : name;
        return name.endsWith(".call") ? name.substring(0, name.length() - ".call".length()) : name;
    }

    private boolean endsWith(String end) {
        int from = body.length() - end.length();
        // Gemma's quote contains a plain one, which counts for nothing until the whole is there
        boolean inside = end.equals("\"") && from >= 2 && body.charAt(from - 1) == '|' && body.charAt(from - 2) == '<';
        return from >= 0 && !inside && body.indexOf(end, from) == from;
    }

    private int backslashes() {
        int count = 0;
        for (int i = body.length() - 2; i >= 0 && body.charAt(i) == '\\'; i--) {
            count++;
        }
        return count;
    }
}
