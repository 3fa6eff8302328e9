package skulk.api.http;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import skulk.api.json.Json;

/** One request and its response. Used by one thread. Either {@link #respond} or {@link #events} is called, once. */
public interface Exchange {
    /** The decoded value of a path parameter. */
    String path(String parameter);

    /** All values of a query parameter, in order; empty where it is absent. */
    List<String> query(String name);

    /** The first value of a header. */
    Optional<String> header(String name);

    /**
     * The body, whole. Limits on size and time are the kernel's.
     *
     * @throws skulk.api.problem.SkulkException TOO_LARGE or TIMEOUT
     */
    byte[] body();

    /** Who asks. */
    Caller caller();

    /** Sends a whole response. */
    void respond(Response response);

    /**
     * Runs an action once when the client is found to have gone before the response was sent, from any thread; at once where it has gone already. What a
     * handler computes for {@link #respond} is cancelled by this; a stream has {@link EventStream#onGone}. Never runs where the server cannot tell.
     */
    default void onGone(Runnable action) {}

    /** Starts a stream; the status is 200 from here on. */
    EventStream events(EventStream.Kind kind);

    /**
     * The body as JSON.
     *
     * @throws skulk.api.problem.SkulkException INVALID with a {@code json_invalid} violation
     */
    default Json json() {
        return Fields.parse(body());
    }

    /** The first value of a query parameter. */
    default Optional<String> queryFirst(String name) {
        return query(name).stream().findFirst();
    }

    /** Sends a JSON value with status 200. */
    default void respond(Json value) {
        respond(Response.json(200, value));
    }

    /**
     * @param id of the API key, or the remote address where none was needed
     * @param remoteAddress the peer's IP address
     * @param scopes what it may do
     */
    record Caller(String id, String remoteAddress, Set<Route.Scope> scopes) {
        public Caller {
            scopes = Set.copyOf(scopes);
        }
    }
}
