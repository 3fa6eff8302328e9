package skulk.runner.mlx.text;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.generation.GenerationEvent.Channel;

/**
 * OpenAI's harmony format: messages with a header (recipient, channel) and a body. Bodies on the analysis channel are
 * reasoning, those addressed to a function are the arguments of a call, all others are content. The prompt ends within
 * the first header.
 */
final class HarmonyParser implements OutputParser {
    static final List<String> MARKERS =
            List.of("<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>");

    private static final Pattern RECIPIENT = Pattern.compile("to=([^\\s<]+)");
    private static final String FUNCTIONS = "functions.";

    private enum Part {
        HEADER,
        CONTENT,
        REASONING,
        ARGUMENTS,
        BETWEEN
    }

    private final OutputSink sink;
    private final boolean tools;
    private final MarkerScanner scanner = new MarkerScanner(MARKERS);
    private final StringBuilder free = new StringBuilder();
    private final StringBuilder header = new StringBuilder();
    private Part part = Part.HEADER;

    /** @param tools whether calls are expected; without, their text is reasoning */
    HarmonyParser(OutputSink sink, boolean tools) {
        this.sink = sink;
        this.tools = tools;
    }

    @Override
    public void accept(char c) {
        int marker = scanner.accept(c, free);
        pass();
        if (marker != MarkerScanner.NONE) {
            switch (MARKERS.get(marker)) {
                case "<|start|>" -> {
                    endBody();
                    header.setLength(0);
                    part = Part.HEADER;
                }
                case "<|channel|>" -> {
                    endBody();
                    header.append(" channel=");
                    part = Part.HEADER;
                }
                case "<|constrain|>" -> header.append(' ');
                case "<|message|>" -> beginBody();
                default -> {
                    endBody();
                    header.setLength(0);
                    part = Part.BETWEEN;
                }
            }
        }
    }

    private void pass() {
        switch (part) {
            case HEADER -> header.append(free);
            case CONTENT -> text(Channel.CONTENT);
            case REASONING -> text(Channel.REASONING);
            case ARGUMENTS -> {
                if (!free.isEmpty()) {
                    sink.callArguments(free.toString());
                }
            }
            case BETWEEN -> {
                // nothing but line breaks is written between messages
            }
        }
        free.setLength(0);
    }

    private void text(Channel channel) {
        if (!free.isEmpty()) {
            sink.text(channel, free.toString());
        }
    }

    private void beginBody() {
        Matcher recipient = RECIPIENT.matcher(header);
        boolean call = recipient.find()
                && !recipient.group(1).equals("assistant")
                && !recipient.group(1).equals("user");
        if (call && tools) {
            String name = recipient.group(1);
            sink.callStarted(name.startsWith(FUNCTIONS) ? name.substring(FUNCTIONS.length()) : name);
            part = Part.ARGUMENTS;
        } else {
            part = call || header.indexOf("channel=analysis") >= 0 ? Part.REASONING : Part.CONTENT;
        }
        header.setLength(0);
    }

    private void endBody() {
        if (part == Part.ARGUMENTS) {
            sink.callEnded();
        }
    }

    @Override
    public void finish() {
        scanner.drain(free);
        if (part == Part.HEADER && header.isEmpty() && !free.toString().startsWith("<|")) {
            part = Part.CONTENT;
        }
        pass();
        endBody();
    }

    @Override
    public boolean reasoning() {
        return part == Part.REASONING;
    }
}
