package skulk.runner.mlx.text;

import java.util.List;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonString;

/**
 * Reads a call whose arguments are tagged one by one, and writes them as JSON. Text arguments are passed on as they
 * come.
 */
final class TaggedCallReader implements CallReader {

    /**
     * The tags of a format.
     *
     * @param nameOpen what leads in a call; "" where the name comes first
     * @param nameClose what ends the name, beside the first key or the end of the call
     * @param valueOpen what comes between key and value; "" for nothing
     */
    record Tags(
            String nameOpen,
            String nameClose,
            String keyOpen,
            String keyClose,
            String valueOpen,
            String valueClose,
            String callClose) {

        /** {@code <function=NAME><parameter=KEY>VALUE</parameter></function>} of Qwen3-Coder. */
        static final Tags FUNCTION = new Tags("<function=", ">", "<parameter=", ">", "", "</parameter>", "</function>");

        /** {@code NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value></tool_call>} of GLM. */
        static final Tags PAIRS =
                new Tags("", "\n", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "</tool_call>");

        /** {@code <invoke name="NAME"><parameter name="KEY">VALUE</parameter></invoke>}, with a prefix in every tag. */
        static Tags invoke(String prefix) {
            return new Tags(
                    "<" + prefix + "invoke name=\"",
                    "\">",
                    "<" + prefix + "parameter name=\"",
                    ">",
                    "",
                    "</" + prefix + "parameter>",
                    "</" + prefix + "invoke>");
        }
    }

    private enum At {
        NAME,
        BODY,
        KEY,
        GAP,
        VALUE
    }

    private final OutputSink sink;
    private final Tags tags;
    private final ArgumentTypes types;
    private final StringBuilder free = new StringBuilder();
    private At at = At.NAME;
    private MarkerScanner scanner;
    private String name = "";
    private boolean started;
    private int arguments;
    private boolean text;
    private boolean valueBegins;
    private final StringBuilder value = new StringBuilder();

    /** Starts behind {@link Tags#nameOpen}. */
    TaggedCallReader(OutputSink sink, Tags tags, ArgumentTypes types) {
        this.sink = sink;
        this.tags = tags;
        this.types = types;
        this.scanner = new MarkerScanner(List.of(tags.nameClose, tags.keyOpen, tags.callClose));
    }

    @Override
    public boolean started() {
        return started;
    }

    @Override
    public State accept(char c) {
        int marker = scanner.accept(c, free);
        if (at == At.VALUE) {
            passValue();
        }
        if (marker == MarkerScanner.NONE) {
            return State.MORE;
        }
        return switch (at) {
            case NAME -> endName(marker);
            case BODY -> marker == 0 ? go(At.KEY) : endCall();
            case KEY -> endKey();
            case GAP -> go(At.VALUE);
            case VALUE -> endValue();
        };
    }

    private State go(At next) {
        at = next;
        free.setLength(0);
        scanner = new MarkerScanner(
                switch (next) {
                    case NAME -> List.of(tags.nameClose, tags.keyOpen, tags.callClose);
                    case BODY -> List.of(tags.keyOpen, tags.callClose);
                    case KEY -> List.of(tags.keyClose);
                    case GAP -> List.of(tags.valueOpen);
                    case VALUE -> List.of("\n" + tags.valueClose, tags.valueClose);
                });
        valueBegins = next == At.VALUE;
        return State.MORE;
    }

    private State endName(int marker) {
        name = free.toString().strip();
        if (name.isEmpty()) {
            return marker == 0 ? go(At.NAME) : State.REJECTED;
        }
        started = true;
        sink.callStarted(name);
        return switch (marker) {
            case 0 -> go(At.BODY);
            case 1 -> go(At.KEY);
            default -> endCall();
        };
    }

    /** A key may be followed by attributes: {@code city" string="true"}. */
    private State endKey() {
        String[] parts = free.toString().strip().split("\"", 2);
        String attributes = parts.length > 1 ? parts[1] : "";
        text = attributes.contains("string=\"true\"")
                || (!attributes.contains("string=\"false\"") && types.isText(name, parts[0]));
        sink.callArguments((arguments++ == 0 ? "{" : ", ") + new JsonString(parts[0]) + ": " + (text ? "\"" : ""));
        value.setLength(0);
        return go(tags.valueOpen.isEmpty() ? At.VALUE : At.GAP);
    }

    private void passValue() {
        for (int i = 0; i < free.length(); i++) {
            char c = free.charAt(i);
            boolean lineBreak = valueBegins && c == '\n';
            valueBegins = false;
            if (!lineBreak && text) {
                sink.callArguments(escaped(c));
            } else if (!lineBreak) {
                value.append(c);
            }
        }
        free.setLength(0);
    }

    private State endValue() {
        sink.callArguments(text ? "\"" : json(value.toString().strip()));
        return go(At.BODY);
    }

    private State endCall() {
        sink.callArguments(arguments == 0 ? "{}" : "}");
        sink.callEnded();
        return State.DONE;
    }

    private static String json(String text) {
        try {
            return Json.parse(text).toString();
        } catch (JsonException e) {
            return new JsonString(text).toString();
        }
    }

    private static String escaped(char c) {
        if (Character.isSurrogate(c)) {
            return String.valueOf(c);
        }
        String quoted = new JsonString(String.valueOf(c)).toString();
        return quoted.substring(1, quoted.length() - 1);
    }
}
