package skulk.http.openai;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeInference;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Accepted;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.Prefill;
import skulk.api.generation.GenerationEvent.Stats;
import skulk.api.generation.GenerationEvent.Text;
import skulk.api.generation.GenerationEvent.ToolCallDelta;
import skulk.api.generation.GenerationEvent.Usage;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

/** The dialect, started on fakes, with short words for events. */
final class Dialect implements AutoCloseable {
    final FakeInference inference = new FakeInference();
    final FakeCluster cluster = new FakeCluster();
    final OpenAiPlugin plugin = new OpenAiPlugin();
    final HttpFeature feature;

    Dialect() {
        this("{}");
    }

    Dialect(String settings) {
        feature = (HttpFeature) plugin.start(FakeContext.create((JsonObject) Json.parse(settings))
                        .with(inference)
                        .with(cluster))
                .getFirst();
    }

    Dialect playing(GenerationEvent... events) {
        inference.playing(events);
        return this;
    }

    FakeExchange post(String route, String body) {
        return new FakeExchange().body(body).run(feature, "POST", route);
    }

    /** Frames of a stream, with ids and times made constant. */
    List<String> stream(String route, String body) {
        FakeExchange exchange = post(route, body);
        if (exchange.response() != null) {
            throw new AssertionError("not a stream: " + exchange.status() + " " + exchange.text());
        }
        String id = inference.requests().getFirst().commandId().value();
        return Stream.of(exchange.streamed().split("(?<=\n\n)"))
                .map(frame -> frame.replace(id, "ID").replaceAll("\"created(_at)?\":\\d+", "\"created$1\":0"))
                .map(String::stripTrailing)
                .toList();
    }

    static Accepted accepted() {
        return new Accepted(5, 2);
    }

    static Prefill prefill(int done, int total) {
        return new Prefill(done, total);
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

    static Finished finished(FinishReason reason) {
        return new Finished(
                reason, Optional.empty(), new Usage(5, 3, 2, 1, 0, 0), new Stats(100.5, 20.25, 1000, 1, true));
    }

    static Finished finished() {
        return finished(FinishReason.STOP);
    }

    static Failed failed(Problem.Kind kind, String code, String message) {
        return new Failed(Problem.of(kind, code, message));
    }

    /** A handler of a route, to be run on another thread. */
    Route route(String method, String path) {
        return feature.routes().stream()
                .filter(r -> r.method().equals(method) && r.path().equals(path))
                .findFirst()
                .orElseThrow();
    }

    static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    Response error(Problem problem) {
        return feature.error(problem);
    }

    @Override
    public void close() {
        plugin.stop();
    }
}
