package skulk.runner.mlx.text;

import skulk.api.generation.GenerationEvent.Channel;

/** Where a parser puts what it recognises, free of markup. */
public interface OutputSink {
    void text(Channel channel, CharSequence text);

    /** A tool call begins; its arguments follow. */
    void callStarted(String name);

    /** More of the arguments' JSON text. */
    void callArguments(CharSequence json);

    void callEnded();
}
