package skulk.runner.mlx.text;

import java.util.List;
import skulk.api.generation.GenerationEvent.Channel;

/**
 * Splits tagged reasoning from the rest, which goes on to another parser. Line breaks next to a tag belong to the tag.
 */
final class ReasoningParser implements OutputParser {
    private static final int CLOSE = 2;

    private final OutputSink sink;
    private final OutputParser content;
    private final MarkerScanner scanner;
    private final StringBuilder free = new StringBuilder();
    private boolean inside;
    private boolean skipBreaks;

    /** @param open whether the prompt has opened the reasoning already */
    ReasoningParser(OutputSink sink, ReasoningTags tags, boolean open, OutputParser content) {
        this.sink = sink;
        this.content = content;
        this.inside = open;
        this.skipBreaks = open;
        this.scanner =
                new MarkerScanner(List.of(tags.open(), tags.open().strip() + "\n", "\n" + tags.close(), tags.close()));
    }

    @Override
    public void accept(char c) {
        int marker = scanner.accept(c, free);
        pass();
        if (marker != MarkerScanner.NONE) {
            inside = marker < CLOSE;
            skipBreaks = true;
        }
    }

    private void pass() {
        for (int i = 0; i < free.length(); i++) {
            char c = free.charAt(i);
            if (skipBreaks && c == '\n') {
                continue;
            }
            skipBreaks = false;
            if (inside) {
                sink.text(Channel.REASONING, String.valueOf(c));
            } else {
                content.accept(c);
            }
        }
        free.setLength(0);
    }

    @Override
    public void finish() {
        scanner.drain(free);
        pass();
        content.finish();
    }

    @Override
    public boolean reasoning() {
        return inside;
    }
}
