package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/** The frames of a streamed completion: the comments of contract section 3 around OpenAI's {@code text_completion} chunks. */
final class CompletionFrames implements Streaming.Frames {
    private final CompletionRequest request;
    private final ChatJson.Head head;
    private final int[] sent;
    private final List<Finished> ends = new ArrayList<>();

    CompletionFrames(CompletionRequest request, ChatJson.Head head) {
        this.request = request;
        this.head = head;
        this.sent = new int[request.generations().size()];
    }

    @Override
    public List<String> opening() {
        List<String> frames = new ArrayList<>();
        frames.add(Sse.comment("command_id", head.id()));
        for (int i = 0; i < sent.length; i++) {
            if (!request.prefix(i).isEmpty()) {
                frames.add(text(i, request.prefix(i), Json.NULL));
            }
        }
        return frames;
    }

    @Override
    public List<String> event(int choice, GenerationEvent event) {
        return switch (event) {
            case GenerationEvent.Prefill(int processed, int total) ->
                List.of(Sse.prefillProgress(head.model(), processed, total));
            case GenerationEvent.Text text ->
                List.of(text(choice, text.text(), CompletionJson.logprobs(text.logprobs(), sent[choice])));
            case Finished finished -> {
                ends.add(finished);
                JsonObject last = CompletionJson.choice(
                        choice, "", Json.NULL, Json.of(ChatJson.finishReason(finished, false, false)));
                Json usage = ends.size() == sent.length ? ChatJson.usage(CompletionEndpoint.sum(ends)) : Json.NULL;
                yield List.of(Sse.data(head.with(List.of(last), usage)));
            }
            case GenerationEvent.ToolCallDelta delta -> List.of();
            case GenerationEvent.Accepted accepted -> List.of();
            case GenerationEvent.Committed committed -> List.of();
            case GenerationEvent.Failed(Problem problem) -> failure(problem);
        };
    }

    private String text(int choice, String text, Json logprobs) {
        sent[choice] += text.length();
        return Sse.data(head.with(List.of(CompletionJson.choice(choice, text, logprobs, Json.NULL)), Json.NULL));
    }

    @Override
    public List<String> closing() {
        return List.of(Sse.comment("generation_stats", ChatJson.stats(ends, "in_bytes")), Sse.DONE);
    }

    @Override
    public List<String> failure(Problem problem) {
        return List.of(Sse.data(Failures.inStream(problem)), Sse.DONE);
    }
}
