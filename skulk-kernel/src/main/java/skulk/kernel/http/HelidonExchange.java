package skulk.kernel.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.http.Response;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** One request and its response over Helidon. */
final class HelidonExchange implements Exchange {
    private final ServerRequest request;
    private final ServerResponse response;
    private final HttpOptions options;
    private final Optional<Guard> guard;
    private final Map<String, String> parameters;
    private final Caller caller;
    private final List<Runnable> watches = new ArrayList<>();
    private Optional<Map<String, List<String>>> query = Optional.empty();
    private Optional<byte[]> body = Optional.empty();
    private Optional<HelidonStream> stream = Optional.empty();
    private boolean responded;
    private boolean closes;

    /** What the exchange is made from besides the request and the response. */
    record Setting(HttpOptions options, Optional<Guard> guard, Map<String, String> parameters, Caller caller) {}

    HelidonExchange(ServerRequest request, ServerResponse response, Setting setting) {
        this.request = request;
        this.response = response;
        this.options = setting.options();
        this.guard = setting.guard();
        this.parameters = setting.parameters();
        this.caller = setting.caller();
    }

    @Override
    public String path(String parameter) {
        return Optional.ofNullable(parameters.get(parameter))
                .orElseThrow(() -> new IllegalArgumentException("the route has no parameter " + parameter));
    }

    @Override
    public List<String> query(String name) {
        if (query.isEmpty()) {
            query = Optional.of(Percent.query(request.prologue().query().rawValue()));
        }
        return query.get().getOrDefault(name, List.of());
    }

    @Override
    public Optional<String> header(String name) {
        return request.headers().first(HeaderNames.create(name));
    }

    @Override
    public Caller caller() {
        return caller;
    }

    @Override
    @SuppressWarnings("try") // the wait ends by being closed
    public byte[] body() {
        if (body.isEmpty()) {
            OptionalLong length = request.headers().contentLength();
            if (length.isPresent() && length.getAsLong() > options.bodyLimit()) {
                throw tooLarge();
            }
            try (Guard.BodyWait wait = guard.map(Guard::bodyBegins).orElse(() -> {})) {
                byte[] bytes = request.content().hasEntity() ? read() : new byte[0];
                if (isHttp2() && guard.map(Guard::gone).orElse(false)) {
                    throw left(); // the read was woken up, and takes that for the end of the body
                }
                body = Optional.of(bytes);
            }
            guard.ifPresent(Guard::bodyEnds);
        }
        return body.get();
    }

    private byte[] read() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] buffer = new byte[16 * 1024];
        try {
            InputStream in = request.content().inputStream(); // not closed: that would read on after a failure
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (bytes.size() + n > options.bodyLimit()) {
                    throw tooLarge();
                }
                bytes.write(buffer, 0, n);
            }
            return bytes.toByteArray();
        } catch (IOException | RuntimeException e) {
            if (e instanceof SkulkException known) {
                throw known;
            }
            if (e instanceof RequestException refused && refused.status().code() == 413) {
                throw tooLarge(); // a chunk that would not fit was not even read
            }
            if (guard.map(Guard::timedOut).orElse(false)) {
                throw new SkulkException(
                        Problem.of(
                                Problem.Kind.TIMEOUT,
                                "The body did not arrive within "
                                        + options.bodyTimeout().toMillis() + " ms"),
                        e);
            }
            if (guard.map(Guard::gone).orElse(false)) {
                throw left();
            }
            throw new SkulkException(Problem.of(Problem.Kind.USER_ERROR, "The body could not be read"), e);
        }
    }

    /** Takes what nobody read off a connection that goes on: Helidon would wait for it as long as the client likes. */
    @SuppressWarnings("try") // the wait ends by being closed
    void discardBody() {
        if (!isHttp2() || bodyRead()) {
            return;
        }
        if (!guard.map(Guard::gone).orElse(false)) {
            try (Guard.BodyWait wait = guard.map(Guard::bodyBegins).orElse(() -> {})) {
                request.content().consume();
            } catch (RuntimeException e) {
                // it did not end well; so be it
            }
        }
        if (guard.map(Guard::gone).orElse(false)) {
            Thread.currentThread().interrupt(); // this thread is the request's own, and what waits on it now gives up
        }
    }

    private static EventStream.ClientGone left() {
        return new EventStream.ClientGone("the client left while sending its body");
    }

    private SkulkException tooLarge() {
        return new SkulkException(
                Problem.Kind.TOO_LARGE, "The body is larger than the limit of " + options.bodyLimit() + " bytes");
    }

    @Override
    public void respond(Response value) {
        begin();
        response.status(Status.create(value.status()));
        response.header(HeaderNames.CONTENT_TYPE, value.contentType());
        value.headers().forEach((name, content) -> response.header(HeaderNames.create(name), content));
        if (!bodyRead() || request.headers().contains(HeaderNames.TRANSFER_ENCODING)) {
            // Helidon reads chunks more leniently than others: what follows one might be part of it to a proxy in
            // between
            close();
        }
        try {
            if (isHead()) {
                response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(value.body().length));
                response.send();
            } else {
                response.send(value.body());
            }
        } catch (ServerConnectionException e) {
            throw new EventStream.ClientGone("the client left before its response");
        }
    }

    @Override
    public void onGone(Runnable action) {
        guard.ifPresent(g -> watches.add(g.onGone(request.id(), action)));
    }

    @Override
    public EventStream events(EventStream.Kind kind) {
        begin();
        response.header(HeaderNames.CONTENT_TYPE, kind.contentType());
        response.header(HeaderNames.CACHE_CONTROL, "no-cache");
        response.header(HeaderNames.create("X-Accel-Buffering"), "no");
        close();
        OutputStream out = isHead() ? OutputStream.nullOutputStream() : response.outputStream();
        HelidonStream made = new HelidonStream(out, options.timeouts().write(), () -> guard.ifPresent(Guard::cut));
        guard.ifPresent(g -> watches.add(g.onGone(request.id(), made::leave)));
        stream = Optional.of(made);
        made.start();
        return made;
    }

    /** Ends what the handler left open. */
    void finish() {
        stream.ifPresent(HelidonStream::close);
        watches.forEach(Runnable::run);
        if (isHead() && stream.isPresent()) {
            response.send();
        }
    }

    boolean responded() {
        return responded;
    }

    /** Whether nothing of the request is left on the wire. */
    boolean bodyRead() {
        return body.isPresent() || !request.content().hasEntity();
    }

    private void begin() {
        if (responded) {
            throw new IllegalStateException("responded already");
        }
        responded = true;
    }

    /** Whether the client was told that the connection closes after this response. */
    boolean closes() {
        return closes;
    }

    private void close() {
        if (!isHttp2()) { // HTTP/2 has no such header
            closes = true;
            response.header(HeaderValues.CONNECTION_CLOSE);
        }
    }

    private boolean isHead() {
        return request.prologue().method().text().equals("HEAD");
    }

    private boolean isHttp2() {
        return request.prologue().protocolVersion().startsWith("2");
    }
}
