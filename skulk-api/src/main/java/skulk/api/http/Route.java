package skulk.api.http;

/**
 * One method and path.
 *
 * @param method upper case
 * @param path literal segments and {@code {parameter}} segments; {@code {parameter+}} as the last but not only dynamic part matches across slashes (model ids)
 * @param scope what an API key must allow
 */
public record Route(String method, String path, Scope scope, Handler handler) {

    /** What a caller may do. */
    public enum Scope {
        /** Open to everybody that can reach the port: liveness and version. */
        OPEN,
        /** Ask models and read state. */
        INFER,
        /** Place, delete and download models. */
        PLACE,
        /** Everything else: configuration, restart, keys. */
        ADMIN
    }

    /** Runs on a virtual thread of its own and may block. A {@link skulk.api.problem.SkulkException} becomes the feature's error response. */
    @FunctionalInterface
    public interface Handler {
        void handle(Exchange exchange) throws Exception;
    }
}
