package skulk.runner.mlx.text;

import skulk.api.generation.GenerationEvent.Channel;

/**
 * Splits a model's output into content, reasoning and tool calls as it comes. Works character by character, so that it
 * cannot matter how the output is cut into pieces.
 */
public interface OutputParser {
    void accept(char c);

    /** The output is over: what is held back turns out to be text, or the open call ends. */
    void finish();

    /** Whether what comes now is reasoning. */
    default boolean reasoning() {
        return false;
    }

    /** Everything is content. */
    static OutputParser plain(OutputSink sink) {
        return new OutputParser() {
            @Override
            public void accept(char c) {
                sink.text(Channel.CONTENT, String.valueOf(c));
            }

            @Override
            public void finish() {
                // nothing is ever held back
            }
        };
    }
}
