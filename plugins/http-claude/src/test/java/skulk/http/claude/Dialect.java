package skulk.http.claude;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeInference;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Accepted;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.Stats;
import skulk.api.generation.GenerationEvent.Text;
import skulk.api.generation.GenerationEvent.ToolCallDelta;
import skulk.api.generation.GenerationEvent.Usage;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/** The dialect, started on fakes, with short words for events. */
final class Dialect implements AutoCloseable {
    static final String MESSAGES = "/v1/messages";

    final FakeInference inference = new FakeInference();
    final ClaudePlugin plugin = new ClaudePlugin();
    final HttpFeature feature;

    Dialect(String settings) {
        feature = (HttpFeature) plugin.start(
                        FakeContext.create((JsonObject) Json.parse(settings)).with(inference))
                .getFirst();
    }

    Dialect playing(GenerationEvent... events) {
        inference.playing(events);
        return this;
    }

    FakeExchange post(String route, String body) {
        return new FakeExchange().body(body).run(feature, "POST", route);
    }

    /** Frames of a stream, with the id made constant. */
    List<String> stream(String body) {
        FakeExchange exchange = post(MESSAGES, body);
        if (exchange.response() != null) {
            throw new AssertionError("not a stream: " + exchange.status() + " " + exchange.text());
        }
        String id = inference.requests().getFirst().commandId().value();
        return Stream.of(exchange.streamed().split("(?<=\n\n)"))
                .map(frame -> frame.replace(id, "ID").stripTrailing())
                .toList();
    }

    static String frame(String type, String members) {
        return "event: %s\ndata: {\"type\":\"%s\"%s}".formatted(type, type, members.isEmpty() ? "" : "," + members);
    }

    static Accepted accepted() {
        return new Accepted(5, 2);
    }

    static Text text(String text) {
        return new Text(Channel.CONTENT, text, List.of());
    }

    static Text thought(String text) {
        return new Text(Channel.REASONING, text, List.of());
    }

    static ToolCallDelta call(int index, String id, String name) {
        return new ToolCallDelta(index, Optional.of(id), Optional.of(name), "");
    }

    static ToolCallDelta arguments(int index, String arguments) {
        return new ToolCallDelta(index, Optional.empty(), Optional.empty(), arguments);
    }

    static Finished finished(FinishReason reason, Optional<String> stopSequence) {
        return new Finished(reason, stopSequence, new Usage(5, 3, 2, 1, 0, 0), new Stats(100.5, 20.25, 1000, 1, true));
    }

    static Finished finished() {
        return finished(FinishReason.STOP, Optional.empty());
    }

    static Failed failed(Problem.Kind kind, String message) {
        return new Failed(Problem.of(kind, message));
    }

    @Override
    public void close() {
        plugin.stop();
    }
}
