package skulk.api.fake;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.HttpFeature;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.SkulkException;

/** An exchange in memory: set the request, run a route of a feature, look at the response. */
public final class FakeExchange implements Exchange {
    private final Map<String, String> path = new HashMap<>();
    private final Map<String, List<String>> query = new HashMap<>();
    private final Map<String, String> headers = new HashMap<>();
    private String caller = "127.0.0.1";
    private byte[] body = {};
    private Response response;
    private FakeStream stream;
    private boolean leaves;

    /** Runs the feature's route of this method and template, mapping problems to its error response as the kernel does. */
    public FakeExchange run(HttpFeature feature, String method, String template) {
        Route route = feature.routes().stream()
                .filter(r -> r.method().equals(method) && r.path().equals(template))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no route " + method + " " + template));
        try {
            route.handler().handle(this);
        } catch (SkulkException e) {
            if (stream != null) {
                throw new AssertionError("problem after the stream began", e);
            }
            response = feature.error(e.problem());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        return this;
    }

    public FakeExchange pathParameter(String name, String value) {
        path.put(name, value);
        return this;
    }

    public FakeExchange queryParameter(String name, String... values) {
        query.put(name, List.of(values));
        return this;
    }

    public FakeExchange header(String name, String value) {
        headers.put(name.toLowerCase(), value);
        return this;
    }

    /** The id of the key that the request brings; otherwise it has none. */
    public FakeExchange key(String id) {
        caller = id;
        return this;
    }

    public FakeExchange body(String text) {
        body = text.getBytes(StandardCharsets.UTF_8);
        return this;
    }

    /** A stream that the client leaves after this many frames. */
    public FakeExchange leavingAfter(int frames) {
        stream = new FakeStream(frames);
        return this;
    }

    /** A client that leaves as soon as the handler asks to be told. */
    public FakeExchange leavingBeforeResponse() {
        leaves = true;
        return this;
    }

    public int status() {
        return response == null ? 200 : response.status();
    }

    public Response response() {
        return response;
    }

    public String text() {
        return new String(response.body(), StandardCharsets.UTF_8);
    }

    public JsonObject jsonResponse() {
        return (JsonObject) Json.parse(response.body());
    }

    /** Everything sent on the stream. */
    public String streamed() {
        return stream == null ? "" : stream.text();
    }

    @Override
    public String path(String parameter) {
        return path.get(parameter);
    }

    @Override
    public List<String> query(String name) {
        return query.getOrDefault(name, List.of());
    }

    @Override
    public Optional<String> header(String name) {
        return Optional.ofNullable(headers.get(name.toLowerCase()));
    }

    @Override
    public byte[] body() {
        return body;
    }

    @Override
    public Caller caller() {
        return new Caller(caller, "127.0.0.1", Set.of(Route.Scope.values()));
    }

    @Override
    public void respond(Response value) {
        if (response != null) {
            throw new AssertionError("responded twice");
        }
        response = value;
    }

    @Override
    public void onGone(Runnable action) {
        if (leaves) {
            action.run();
        }
    }

    @Override
    public EventStream events(EventStream.Kind kind) {
        if (stream == null) {
            stream = new FakeStream(Integer.MAX_VALUE);
        }
        return stream;
    }

    private static final class FakeStream implements EventStream {
        private final StringBuilder out = new StringBuilder();
        private int framesLeft;
        private Runnable onGone = () -> {};

        FakeStream(int framesLeft) {
            this.framesLeft = framesLeft;
        }

        synchronized String text() {
            return out.toString();
        }

        @Override
        public synchronized void send(String frame) {
            if (framesLeft-- <= 0) {
                onGone.run();
                throw new ClientGone("the test's client left");
            }
            out.append(frame);
        }

        @Override
        public synchronized boolean gone() {
            return framesLeft < 0;
        }

        @Override
        public synchronized void onGone(Runnable action) {
            onGone = action;
        }

        @Override
        public void close() {}
    }
}
