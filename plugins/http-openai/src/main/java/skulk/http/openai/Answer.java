package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.TokenLogprob;

/** What one choice has said so far. Used by one thread. */
final class Answer {
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();
    private Optional<Finished> end = Optional.empty();

    /** A tool call. @param arguments JSON text */
    record Call(String id, String name, String arguments) {
        private Call plus(GenerationEvent.ToolCallDelta delta) {
            return new Call(delta.id().orElse(id), delta.name().orElse(name), arguments + delta.arguments());
        }
    }

    void add(GenerationEvent event) {
        switch (event) {
            case GenerationEvent.Text(Channel channel, String text, List<TokenLogprob> probabilities) -> {
                (channel == Channel.CONTENT ? content : reasoning).append(text);
                if (channel == Channel.CONTENT) {
                    logprobs.addAll(probabilities);
                }
            }
            case GenerationEvent.ToolCallDelta delta -> {
                while (calls.size() <= delta.index()) {
                    calls.add(new Call("", "", ""));
                }
                calls.set(delta.index(), calls.get(delta.index()).plus(delta));
            }
            case Finished finished -> end = Optional.of(finished);
            case GenerationEvent.Accepted accepted -> {}
            case GenerationEvent.Prefill prefill -> {}
            case GenerationEvent.Committed committed -> {}
            case GenerationEvent.Failed failed -> {}
        }
    }

    String content() {
        return content.toString();
    }

    String reasoning() {
        return reasoning.toString();
    }

    List<TokenLogprob> logprobs() {
        return logprobs;
    }

    List<Call> calls() {
        return calls;
    }

    /** How it ended. @throws java.util.NoSuchElementException where it has not */
    Finished end() {
        return end.orElseThrow();
    }
}
