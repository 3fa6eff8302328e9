package skulk.http.openai;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/** The frames of a streamed chat completion, in the order of contract section 3. */
final class ChatFrames implements Streaming.Frames {
    private final ChatRequest request;
    private final ChatJson.Head head;
    private final Set<Integer> called = new HashSet<>();
    private final List<Finished> ends = new ArrayList<>();

    /** @param created seconds since the epoch */
    ChatFrames(ChatRequest request, long created) {
        this.request = request;
        this.head = new ChatJson.Head(
                request.generation().commandId().value(),
                "chat.completion.chunk",
                created,
                request.generation().model().value(),
                request.tier());
    }

    @Override
    public List<String> opening() {
        return List.of(Sse.comment("command_id", head.id()));
    }

    @Override
    public List<String> event(int choice, GenerationEvent event) {
        return switch (event) {
            case GenerationEvent.Prefill(int processed, int total) ->
                List.of(Sse.prefillProgress(head.model(), processed, total));
            case GenerationEvent.Text(Channel channel, String text, List<TokenLogprob> logprobs) ->
                List.of(
                        channel == Channel.CONTENT
                                ? chunk(ChatJson.chunkChoice(choice, ChatJson.Said.content(text), logprobs, Json.NULL))
                                : chunk(ChatJson.chunkChoice(
                                        choice, ChatJson.Said.reasoning(text), List.of(), Json.NULL)));
            case GenerationEvent.ToolCallDelta delta -> {
                called.add(choice);
                yield List.of(chunk(ChatJson.chunkChoice(choice, call(delta), List.of(), Json.NULL)));
            }
            case Finished finished -> last(choice, finished);
            case GenerationEvent.Accepted accepted -> List.of();
            case GenerationEvent.Committed committed -> List.of();
            case GenerationEvent.Failed(Problem problem) -> failure(problem);
        };
    }

    /**
     * The end of a choice and, with the last one's, the usage. Helpers of SDKs take a chunk with usage for one that says nothing else, while other
     * clients look for the reason of the end beside it: so the last end is said without and then with usage.
     */
    private List<String> last(int choice, Finished finished) {
        ends.add(finished);
        boolean calls = called.contains(choice);
        String reason = ChatJson.finishReason(finished, calls, request.legacyFunctions());
        ChatJson.Said said = calls ? ChatJson.Said.NOTHING : ChatJson.Said.content("");
        JsonObject end = ChatJson.chunkChoice(choice, said, List.of(), Json.of(reason));
        return ends.size() < request.choices()
                ? List.of(chunk(end))
                : List.of(chunk(end), Sse.data(head.with(List.of(end), ChatJson.usage(ChatJson.sum(ends)))));
    }

    @Override
    public List<String> closing() {
        return List.of(Sse.comment("generation_stats", ChatJson.stats(ends, "in_bytes")), Sse.DONE);
    }

    @Override
    public List<String> failure(Problem problem) {
        return List.of(Sse.data(Failures.inStream(problem)), Sse.DONE);
    }

    private String chunk(JsonObject choice) {
        return Sse.data(head.with(List.of(choice), Json.NULL));
    }

    /** Id, type and name go out once; later pieces carry the index and arguments alone, so that clients can append. */
    private ChatJson.Said call(GenerationEvent.ToolCallDelta delta) {
        JsonObject.Builder function = JsonObject.builder();
        if (!request.legacyFunctions()) {
            function.putIfPresent("id", delta.id());
        }
        function.putIfPresent("name", delta.name()).put("arguments", delta.arguments());
        if (request.legacyFunctions()) {
            return ChatJson.Said.functionCall(function.build());
        }
        JsonObject.Builder call =
                JsonObject.builder().putIfPresent("id", delta.id()).put("index", delta.index());
        if (delta.id().isPresent()) {
            call.put("type", "function");
        }
        return ChatJson.Said.toolCalls(call.put("function", function.build()).build());
    }
}
