package skulk.http.claude;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Accepted;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/**
 * The events of one message and, at the end, the message itself, streamed or not (contract section 5). {@code message_start} waits until the prompt's tokens
 * are counted, so that its usage is true. Used by one thread, but for {@link #keepAlive()}.
 */
final class MessageFrames {
    private final String id;
    private final String model;
    private final boolean thinkingShown;
    private final List<Block> blocks = new ArrayList<>();
    private Optional<Block> current = Optional.empty();
    private Optional<Finished> end = Optional.empty();
    private int callIndex = -1;
    private int inputTokens;
    private int cachedInput;
    private volatile boolean started;

    /** @param thinkingShown whether the text of thinking is part of the answer; its blocks are in any case */
    MessageFrames(String commandId, String model, boolean thinkingShown) {
        this.thinkingShown = thinkingShown;
        this.id = "msg_" + commandId;
        this.model = model;
    }

    /** What fills silence: a comment before the message has started, a {@code ping} afterwards. Called from any thread. */
    String keepAlive() {
        return started ? Sse.PING : Sse.KEEP_ALIVE;
    }

    List<String> event(GenerationEvent event) {
        List<String> out = new ArrayList<>();
        switch (event) {
            case Accepted(int promptTokens, int cachedTokens) -> {
                inputTokens = promptTokens - cachedTokens;
                cachedInput = cachedTokens;
                start(out);
            }
            case GenerationEvent.Text(Channel channel, String text, List<TokenLogprob> logprobs) -> {
                start(out);
                boolean content = channel == Channel.CONTENT;
                Block.Kind kind = content ? Block.Kind.TEXT : Block.Kind.THINKING;
                if (current.filter(block -> block.kind() == kind).isEmpty()) {
                    open(content ? Block.text() : Block.thinking(), out);
                }
                append(text, out);
            }
            case GenerationEvent.ToolCallDelta delta -> {
                start(out);
                call(delta, out);
            }
            case Finished finished -> {
                start(out);
                finish(finished, out);
            }
            case GenerationEvent.Failed(Problem problem) -> out.add(Sse.event("error", Failures.inStream(problem)));
            case GenerationEvent.Prefill prefill -> {}
            case GenerationEvent.Committed committed -> {}
        }
        return out;
    }

    private void start(List<String> out) {
        if (!started) {
            started = true;
            out.add(Sse.event("message_start", JsonObject.builder().put("message", message())));
        }
    }

    private void call(GenerationEvent.ToolCallDelta delta, List<String> out) {
        if (delta.index() != callIndex
                || current.filter(b -> b.kind() == Block.Kind.TOOL_USE).isEmpty()) {
            callIndex = delta.index();
            open(
                    Block.toolUse(
                            delta.id().orElse(id + "_" + callIndex),
                            delta.name().orElse("")),
                    out);
        }
        if (!delta.arguments().isEmpty()) {
            append(delta.arguments(), out);
        }
    }

    private void append(String text, List<String> out) {
        Block block = current.orElseThrow();
        if (block.kind() == Block.Kind.THINKING && !thinkingShown) {
            return;
        }
        block.append(text);
        out.add(Sse.event("content_block_delta", at().put("delta", block.delta(text))));
    }

    private void open(Block block, List<String> out) {
        close(out);
        blocks.add(block);
        current = Optional.of(block);
        out.add(Sse.event("content_block_start", at().put("content_block", block.start())));
    }

    private void close(List<String> out) {
        if (current.isPresent()) {
            out.add(Sse.event("content_block_stop", at()));
            current = Optional.empty();
        }
    }

    private JsonObject.Builder at() {
        return JsonObject.builder().put("index", blocks.size() - 1);
    }

    private void finish(Finished finished, List<String> out) {
        close(out);
        end = Optional.of(finished);
        cachedInput = finished.usage().cachedTokens();
        inputTokens = finished.usage().promptTokens() - cachedInput;
        JsonObject delta = JsonObject.builder()
                .put("stop_reason", stopReason())
                .put("stop_sequence", finished.stopSequence())
                .build();
        out.add(Sse.event(
                "message_delta",
                JsonObject.builder()
                        .put("delta", delta)
                        .put(
                                "usage",
                                JsonObject.of("output_tokens", finished.usage().completionTokens()))));
        out.add(Sse.event("message_stop", JsonObject.builder()));
    }

    /** The message with what is there so far. */
    JsonObject message() {
        return JsonObject.builder()
                .put("id", id)
                .put("type", "message")
                .put("role", "assistant")
                .put("content", blocks.stream().map(Block::full).toList())
                .put("model", model)
                .put("stop_reason", stopReason())
                .put("stop_sequence", end.flatMap(Finished::stopSequence))
                .put(
                        "usage",
                        JsonObject.builder()
                                .put("input_tokens", inputTokens)
                                .put("cache_creation_input_tokens", 0)
                                .put("cache_read_input_tokens", cachedInput)
                                .put(
                                        "output_tokens",
                                        end.map(e -> e.usage().completionTokens())
                                                .orElse(0))
                                .build())
                .build();
    }

    private Json stopReason() {
        boolean called = blocks.stream().anyMatch(b -> b.kind() == Block.Kind.TOOL_USE);
        return Json.of(end.map(finished -> switch (finished.reason()) {
                    case LENGTH -> "max_tokens";
                    case CONTENT_FILTER -> "refusal";
                    case TOOL_CALLS, STOP, ERROR ->
                        called ? "tool_use" : finished.stopSequence().isPresent() ? "stop_sequence" : "end_turn";
                })
                .orElse(null));
    }
}
