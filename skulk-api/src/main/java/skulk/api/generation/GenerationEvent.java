package skulk.api.generation;

import java.util.List;
import java.util.Optional;
import skulk.api.problem.Problem;

/**
 * What a generation tells, in this order: {@link Accepted}, any number of {@link Prefill}, then text, tool calls and tokens as they come, and
 * exactly one last event, {@link Finished} or {@link Failed}. No event carries markup of tools or reasoning, at any chunk boundary.
 */
public sealed interface GenerationEvent {

    /** Admitted to the batch; prompt tokens counted. */
    record Accepted(int promptTokens, int cachedTokens) implements GenerationEvent {}

    /** Prompt tokens processed so far. */
    record Prefill(int processedTokens, int totalTokens) implements GenerationEvent {}

    /**
     * More text. Never ends inside a code point.
     *
     * @param logprobs of the tokens that made this text, where asked for
     */
    record Text(Channel channel, String text, List<TokenLogprob> logprobs) implements GenerationEvent {
        public Text {
            logprobs = List.copyOf(logprobs);
        }
    }

    /**
     * More of a tool call. The first delta of an index carries id and name; arguments are JSON text in pieces.
     *
     * @param index of the call in this answer, from 0
     */
    record ToolCallDelta(int index, Optional<String> id, Optional<String> name, String arguments)
            implements GenerationEvent {}

    /** Tokens committed since the last event of this kind; what a resume needs. Not shown to clients. */
    record Committed(List<Integer> tokens) implements GenerationEvent {
        public Committed {
            tokens = List.copyOf(tokens);
        }
    }

    /** The regular end. @param stopSequence the client's stop string that ended it */
    record Finished(FinishReason reason, Optional<String> stopSequence, Usage usage, Stats stats)
            implements GenerationEvent {}

    /** The end by a failure. */
    record Failed(Problem problem) implements GenerationEvent {}

    /** Where text belongs. */
    enum Channel {
        CONTENT,
        REASONING
    }

    /** Why a generation ended; {@code toString()} is OpenAI's word. */
    enum FinishReason {
        STOP("stop"),
        LENGTH("length"),
        TOOL_CALLS("tool_calls"),
        CONTENT_FILTER("content_filter"),
        ERROR("error");

        private final String wire;

        FinishReason(String wire) {
            this.wire = wire;
        }

        @Override
        public String toString() {
            return wire;
        }
    }

    /**
     * @param token the token's text, replacement characters where it is part of a code point
     * @param bytes its UTF-8 bytes
     * @param top the most likely alternatives, best first
     */
    record TokenLogprob(String token, double logprob, List<Integer> bytes, List<TokenLogprob> top) {
        public TokenLogprob {
            bytes = List.copyOf(bytes);
            top = List.copyOf(top);
        }
    }

    /** Token counts. @param acceptedDraft, rejectedDraft draft tokens of speculation */
    record Usage(
            int promptTokens,
            int completionTokens,
            int cachedTokens,
            int reasoningTokens,
            int acceptedDraft,
            int rejectedDraft) {}

    /**
     * Measured speed of this request.
     *
     * @param promptTps prompt tokens per second (those not cached)
     * @param generationTps output tokens per second after the first
     * @param peakMemoryBytes of the rank process
     * @param inFlightAtAdmission requests in the batch when this one joined
     * @param batches whether the engine decodes requests together
     */
    record Stats(
            double promptTps, double generationTps, long peakMemoryBytes, int inFlightAtAdmission, boolean batches) {}
}
