package skulk.kernel.http;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;
import skulk.kernel.security.TlsFiles;

/**
 * How the server listens and what it puts up with.
 *
 * @param origins that browsers may call from; {@code *} is every one
 * @param bodyLimit bytes of a request's body
 * @param timeouts how long a client may take
 * @param tls certificate chain and key; plain HTTP where empty
 */
record HttpOptions(
        String host,
        int port,
        List<String> origins,
        long bodyLimit,
        int maxConnections,
        Timeouts timeouts,
        Optional<TlsFiles> tls) {

    /** Longest request line, in bytes; a browser's limit is about this. */
    private static final int MAX_LINE = 16 * 1024;
    /** Longest head of a request, in bytes. */
    private static final int MAX_HEADERS = 64 * 1024;
    /** RFC 9113 asks for 100 at least; each costs a virtual thread. */
    private static final int MAX_STREAMS = 256;

    /**
     * @param idle between requests
     * @param head from the first byte of a request to the last of its head
     * @param body from the first read of a body to its end
     * @param write for which a client may not read what is sent to it
     */
    record Timeouts(Duration idle, Duration head, Duration body, Duration write) {}

    /** @throws IOException where TLS is half configured */
    static HttpOptions of(Configuration configuration) throws IOException {
        Duration body = seconds(configuration.get(Keys.API_BODY_TIMEOUT));
        return new HttpOptions(
                configuration.get(Keys.API_HOST),
                configuration.get(Keys.API_PORT).intValue(),
                configuration.get(Keys.API_CORS_ORIGINS),
                configuration.get(Keys.API_BODY_LIMIT),
                configuration.get(Keys.API_CONNECTIONS).intValue(),
                new Timeouts(
                        seconds(configuration.get(Keys.API_IDLE_TIMEOUT)),
                        body,
                        body,
                        seconds(configuration.get(Keys.API_WRITE_TIMEOUT))),
                TlsFiles.of(configuration));
    }

    private static Duration seconds(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1000));
    }

    Duration idleTimeout() {
        return timeouts.idle();
    }

    Duration headTimeout() {
        return timeouts.head();
    }

    Duration bodyTimeout() {
        return timeouts.body();
    }

    int maxLine() {
        return MAX_LINE;
    }

    int maxHeaders() {
        return MAX_HEADERS;
    }

    /** Requests at a time on one HTTP/2 connection. */
    int maxStreams() {
        return MAX_STREAMS;
    }
}
