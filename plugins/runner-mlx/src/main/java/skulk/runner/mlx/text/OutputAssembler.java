package skulk.runner.mlx.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.TokenLogprob;

/**
 * Makes events of tokens: detokenises, parses, looks for stop strings in the content, joins what one token brings into
 * as few events as can be. One thread.
 */
public final class OutputAssembler {

    /**
     * @param parser makes the parser of this output
     * @param stops end the output where they occur in the content
     * @param callIds the id of a tool call by its index
     * @param parallelCalls whether more than one tool call may follow
     */
    public record Shape(
            Function<OutputSink, OutputParser> parser,
            List<String> stops,
            IntFunction<String> callIds,
            boolean parallelCalls) {}

    private final Detokenizer detokenizer;
    private final Shape shape;
    private final Consumer<GenerationEvent> events;
    private final OutputParser parser;
    private final StopStrings stops;

    private final StringBuilder run = new StringBuilder();
    private final StringBuilder arguments = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private Channel channel = Channel.CONTENT;
    private int calls;
    private int reasoningTokens;
    private boolean stopped;

    public OutputAssembler(Detokenizer detokenizer, Shape shape, Consumer<GenerationEvent> events) {
        this.detokenizer = detokenizer;
        this.shape = shape;
        this.events = events;
        this.stops = new StopStrings(shape.stops);
        this.parser = shape.parser.apply(new Sink());
    }

    /** One more token. @return whether the output ends with it */
    public boolean push(int token, Optional<TokenLogprob> logprob) {
        logprob.ifPresent(logprobs::add);
        if (parser.reasoning()) {
            reasoningTokens++;
        }
        parse(detokenizer.push(token));
        flush();
        return stopped;
    }

    /** The end: what was held back comes out. */
    public void finish() {
        if (!stopped) {
            parse(detokenizer.finish());
        }
        if (!stopped) {
            parser.finish();
            append(Channel.CONTENT, stops.finish());
        }
        flush();
    }

    /** The stop string that ended the output. */
    public Optional<String> stopSequence() {
        return stops.found();
    }

    /** Whether all that is known of the tokens so far is out but for text that later tokens complete; then the tokens alone are enough to go on elsewhere. */
    public boolean settled() {
        return logprobs.isEmpty();
    }

    /** Tool calls so far. */
    public int calls() {
        return calls;
    }

    /** Whether what comes next is reasoning. */
    public boolean reasoning() {
        return parser.reasoning();
    }

    public int reasoningTokens() {
        return reasoningTokens;
    }

    private void parse(String text) {
        for (int i = 0; i < text.length() && !stopped; i++) {
            parser.accept(text.charAt(i));
        }
    }

    private void append(Channel to, CharSequence text) {
        if (text.isEmpty()) {
            return;
        }
        if (to != channel) {
            flush();
            channel = to;
        }
        run.append(text);
    }

    private void flush() {
        if (!run.isEmpty()) {
            events.accept(new GenerationEvent.Text(channel, run.toString(), logprobs));
            logprobs.clear();
            run.setLength(0);
        }
        if (!arguments.isEmpty()) {
            events.accept(new GenerationEvent.ToolCallDelta(
                    calls - 1, Optional.empty(), Optional.empty(), arguments.toString()));
            arguments.setLength(0);
        }
    }

    private final class Sink implements OutputSink {
        @Override
        public void text(Channel to, CharSequence text) {
            if (stopped) {
                return;
            }
            if (to == Channel.REASONING) {
                append(to, text);
                return;
            }
            append(to, stops.push(text));
            stopped = stops.found().isPresent();
        }

        @Override
        public void callStarted(String name) {
            if (stopped) {
                return;
            }
            append(Channel.CONTENT, stops.finish());
            flush();
            logprobs.clear();
            events.accept(new GenerationEvent.ToolCallDelta(
                    calls, Optional.of(shape.callIds.apply(calls)), Optional.of(name), ""));
            calls++;
        }

        @Override
        public void callArguments(CharSequence json) {
            if (!stopped) {
                arguments.append(json);
                logprobs.clear();
            }
        }

        @Override
        public void callEnded() {
            flush();
            stopped |= !shape.parallelCalls;
        }
    }
}
