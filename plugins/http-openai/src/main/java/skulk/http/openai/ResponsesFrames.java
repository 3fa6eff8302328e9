package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.generation.GenerationEvent.Usage;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonNull;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/**
 * The events of a response and, at the end, the response itself, streamed or not (contract section 6). Items come in the order in which the model made
 * them. A response that hit its token limit ends with {@code response.completed} like any other, as clients wait for that event; its status says
 * {@code incomplete} and why.
 */
final class ResponsesFrames implements Streaming.Frames {
    private final ResponsesRequest request;
    private final String command;
    private final long created;
    private final BiConsumer<JsonObject, Message> done;
    private final List<ResponsesItem> items = new ArrayList<>();
    private Optional<ResponsesItem> current = Optional.empty();
    private Optional<Finished> end = Optional.empty();
    private int callIndex = -1;
    private int sequence;

    /**
     * @param created seconds since the epoch
     * @param done hears the finished response and the answer as a message
     */
    ResponsesFrames(ResponsesRequest request, long created, BiConsumer<JsonObject, Message> done) {
        this.request = request;
        this.command = request.generation().commandId().value();
        this.created = created;
        this.done = done;
    }

    @Override
    public List<String> opening() {
        return List.of(
                frame("response.created", JsonObject.builder().put("response", response("in_progress"))),
                frame("response.in_progress", JsonObject.builder().put("response", response("in_progress"))));
    }

    @Override
    public List<String> event(int choice, GenerationEvent event) {
        List<String> out = new ArrayList<>();
        switch (event) {
            case GenerationEvent.Prefill(int processed, int total) ->
                out.add(Sse.prefillProgress(request.generation().model().value(), processed, total));
            case GenerationEvent.Text(Channel channel, String text, List<TokenLogprob> logprobs) ->
                text(channel, text, channel == Channel.CONTENT ? logprobs : List.of(), out);
            case GenerationEvent.ToolCallDelta delta -> call(delta, out);
            case Finished finished -> finish(finished, out);
            case GenerationEvent.Accepted accepted -> {}
            case GenerationEvent.Committed committed -> {}
            case GenerationEvent.Failed(Problem problem) -> out.addAll(failure(problem));
        }
        return out;
    }

    private void text(Channel channel, String text, List<TokenLogprob> logprobs, List<String> out) {
        boolean content = channel == Channel.CONTENT;
        ResponsesItem.Kind kind = content ? ResponsesItem.Kind.MESSAGE : ResponsesItem.Kind.REASONING;
        if (current.filter(item -> item.kind() == kind).isEmpty()) {
            close("completed", out);
            open(
                    content
                            ? ResponsesItem.message(id("item_", kind), items.size())
                            : ResponsesItem.reasoning(id("rs_", kind), items.size()),
                    out);
        }
        ResponsesItem item = current.orElseThrow();
        item.append(text, logprobs);
        JsonObject.Builder delta =
                at(item, content ? "content_index" : "summary_index").put("delta", text);
        if (content) {
            delta.put("logprobs", ResponsesItem.logprobs(logprobs));
        }
        out.add(frame(content ? "response.output_text.delta" : "response.reasoning_summary_text.delta", delta));
    }

    private void call(GenerationEvent.ToolCallDelta delta, List<String> out) {
        if (delta.index() != callIndex
                || current.filter(i -> i.kind() == ResponsesItem.Kind.FUNCTION_CALL)
                        .isEmpty()) {
            close("completed", out);
            callIndex = delta.index();
            String id = delta.id().orElse(command + "_" + callIndex);
            open(ResponsesItem.call(id, delta.name().orElse(""), items.size()), out);
        }
        if (!delta.arguments().isEmpty()) {
            ResponsesItem item = current.orElseThrow();
            item.append(delta.arguments(), List.of());
            out.add(frame("response.function_call_arguments.delta", at(item).put("delta", delta.arguments())));
        }
    }

    private void finish(Finished finished, List<String> out) {
        end = Optional.of(finished);
        if (items.isEmpty()) {
            open(ResponsesItem.message(id("item_", ResponsesItem.Kind.MESSAGE), 0), out);
        }
        close(status(), out);
    }

    /** Ids as the contract has them; a further item of the same kind gets a number. */
    private String id(String prefix, ResponsesItem.Kind kind) {
        long before = items.stream().filter(i -> i.kind() == kind).count();
        return prefix + command + (before == 0 ? "" : "_" + before);
    }

    private void open(ResponsesItem item, List<String> out) {
        items.add(item);
        current = Optional.of(item);
        out.add(frame(
                "response.output_item.added",
                JsonObject.builder().put("output_index", item.outputIndex()).put("item", item.empty())));
        switch (item.kind()) {
            case MESSAGE ->
                out.add(frame(
                        "response.content_part.added", at(item, "content_index").put("part", item.part())));
            case REASONING ->
                out.add(frame(
                        "response.reasoning_summary_part.added",
                        at(item, "summary_index").put("part", item.part())));
            default -> {} // a call has no parts
        }
    }

    private void close(String status, List<String> out) {
        if (current.isEmpty()) {
            return;
        }
        ResponsesItem item = current.get();
        current = Optional.empty();
        JsonObject part = item.part();
        switch (item.kind()) {
            case MESSAGE -> {
                out.add(frame(
                        "response.output_text.done",
                        at(item, "content_index").put("text", item.text()).put("logprobs", part.find("logprobs"))));
                out.add(frame(
                        "response.content_part.done", at(item, "content_index").put("part", part)));
            }
            case REASONING -> {
                out.add(frame(
                        "response.reasoning_summary_text.done",
                        at(item, "summary_index").put("text", item.text())));
                out.add(frame(
                        "response.reasoning_summary_part.done",
                        at(item, "summary_index").put("part", part)));
            }
            default ->
                out.add(frame(
                        "response.function_call_arguments.done",
                        at(item).put("name", item.name()).put("arguments", item.text())));
        }
        out.add(frame(
                "response.output_item.done",
                JsonObject.builder().put("output_index", item.outputIndex()).put("item", item.full(status))));
    }

    private static JsonObject.Builder at(ResponsesItem item) {
        return JsonObject.builder().put("item_id", item.id()).put("output_index", item.outputIndex());
    }

    private static JsonObject.Builder at(ResponsesItem item, String partIndex) {
        return at(item).put(partIndex, 0);
    }

    @Override
    public List<String> closing() {
        return List.of(frame("response.completed", JsonObject.builder().put("response", finished())));
    }

    /** The finished response. */
    JsonObject finished() {
        JsonObject response = response(status());
        done.accept(response, message());
        return response;
    }

    /** Takes a whole answer instead of single events. */
    ResponsesFrames replay(Answer answer) {
        if (!answer.reasoning().isEmpty()) {
            event(0, new GenerationEvent.Text(Channel.REASONING, answer.reasoning(), List.of()));
        }
        if (!answer.content().isEmpty()) {
            event(0, new GenerationEvent.Text(Channel.CONTENT, answer.content(), answer.logprobs()));
        }
        for (int i = 0; i < answer.calls().size(); i++) {
            Answer.Call call = answer.calls().get(i);
            event(
                    0,
                    new GenerationEvent.ToolCallDelta(
                            i, Optional.of(call.id()), Optional.of(call.name()), call.arguments()));
        }
        event(0, answer.end());
        return this;
    }

    @Override
    public List<String> failure(Problem problem) {
        JsonObject envelope = Failures.inStream(problem);
        JsonObject.Builder event = JsonObject.builder()
                .put("code", problem.code().isEmpty() ? "server_error" : problem.code())
                .put("message", problem.message())
                .put("param", null)
                .putAll(envelope.members());
        return List.of(frame("error", event));
    }

    private String status() {
        return end.filter(e -> e.reason() == FinishReason.LENGTH).isPresent() ? "incomplete" : "completed";
    }

    private String frame(String type, JsonObject.Builder event) {
        sequence++;
        return Sse.event(
                type,
                JsonObject.builder()
                        .put("type", type)
                        .put("sequence_number", sequence)
                        .putAll(event.build().members())
                        .build());
    }

    private JsonObject response(String status) {
        boolean ended = end.isPresent();
        StringBuilder text = new StringBuilder();
        List<JsonObject> output = new ArrayList<>();
        if (ended) {
            for (ResponsesItem item : items) {
                boolean last = item == items.getLast();
                output.add(item.full(last ? status : "completed"));
                text.append(item.kind() == ResponsesItem.Kind.MESSAGE ? item.text() : "");
            }
        }
        Json incomplete = status.equals("incomplete") ? JsonObject.of("reason", "max_output_tokens") : new JsonNull();
        return JsonObject.builder()
                .put("id", "resp_" + command)
                .put("object", "response")
                .put("created_at", created)
                .put("status", status)
                .put("error", null)
                .put("incomplete_details", incomplete)
                .put("model", request.generation().model().value())
                .put("output", output)
                .put("output_text", text.toString())
                .put("usage", end.map(e -> usage(e.usage())))
                .putAll(request.echo().members())
                .build();
    }

    private static JsonObject usage(Usage usage) {
        return JsonObject.builder()
                .put("input_tokens", usage.promptTokens())
                .put("input_tokens_details", JsonObject.of("cached_tokens", usage.cachedTokens()))
                .put("output_tokens", usage.completionTokens())
                .put("output_tokens_details", JsonObject.of("reasoning_tokens", usage.reasoningTokens()))
                .put("total_tokens", usage.promptTokens() + usage.completionTokens())
                .build();
    }

    private Message message() {
        StringBuilder content = new StringBuilder();
        StringBuilder reasoning = new StringBuilder();
        List<Message.ToolCall> calls = new ArrayList<>();
        for (ResponsesItem item : items) {
            switch (item.kind()) {
                case MESSAGE -> content.append(item.text());
                case REASONING -> reasoning.append(item.text());
                default ->
                    calls.add(new Message.ToolCall(item.callId(), item.name(), MessageFields.arguments(item.text())));
            }
        }
        return new Message(
                "assistant",
                Optional.of(content.toString()).filter(c -> !c.isEmpty()),
                Optional.of(reasoning.toString()).filter(r -> !r.isEmpty()),
                Optional.empty(),
                calls,
                Optional.empty());
    }
}
