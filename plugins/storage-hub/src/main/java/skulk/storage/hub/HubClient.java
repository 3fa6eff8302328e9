package skulk.storage.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Requests to the hub: redirects without giving the token to other hosts, patience with 429 and 5xx, no waiting for connections that went silent. Safe for
 * use by several threads.
 */
final class HubClient implements AutoCloseable {
    private static final int REDIRECTS = 5;
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration MAX_PAUSE = Duration.ofSeconds(20);
    /** Longer waits than this are not sat out: the transfer above tries again anyway. */
    private static final Duration MAX_RETRY_AFTER = Duration.ofSeconds(120);

    private final HubSettings settings;
    private final ScheduledExecutorService watch;
    private Optional<HttpClient> http = Optional.empty();
    private boolean closed;

    HubClient(HubSettings settings) {
        this.settings = settings;
        this.watch = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("storage-hub-stalls").factory());
    }

    /** Made at the first request: most runs of a node need none, and its start should not pay for it. */
    private synchronized HttpClient http() throws IOException {
        if (closed) {
            throw new IOException("the plugin has been stopped");
        }
        if (http.isEmpty()) {
            http = Optional.of(HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1) // parallel ranges want connections of their own
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(CONNECT)
                    .build());
        }
        return http.get();
    }

    /**
     * An answer whose status the caller looks at: never a redirect, never 429 or 5xx.
     *
     * @param uri that answered at last
     * @param firstHeaders of the hub's own answer, before any redirect: they describe the file
     */
    record Answer(URI uri, int status, HttpResponse<InputStream> response, java.net.http.HttpHeaders firstHeaders)
            implements AutoCloseable {
        Optional<String> header(String name) {
            return response.headers().firstValue(name);
        }

        @Override
        public void close() throws IOException {
            response.body().close();
        }
    }

    URI uri(String pathAndQuery) {
        return URI.create(settings.endpoint() + pathAndQuery);
    }

    /**
     * Sends a GET.
     *
     * @throws IOException where the hub cannot be reached or refuses for too long
     */
    Answer get(URI uri, Map<String, String> headers) throws IOException {
        for (int attempt = 1; ; attempt++) {
            String trouble;
            Optional<Duration> wait = Optional.empty();
            try {
                Answer answer = once(uri, headers);
                if (answer.status() != 429 && answer.status() < 500) {
                    return answer;
                }
                wait = answer.header("Retry-After").flatMap(HubClient::retryAfter);
                trouble = "%s answered %d".formatted(uri.getHost(), answer.status());
                answer.close();
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                trouble = "%s: %s"
                        .formatted(
                                uri.getHost(),
                                e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
            }
            if (attempt >= settings.attempts()
                    || wait.filter(w -> w.compareTo(MAX_RETRY_AFTER) > 0).isPresent()) {
                throw new IOException(trouble
                        + wait.map(w -> ", retry after " + w.toSeconds() + " s").orElse(""));
            }
            sleep(wait.orElse(pause(attempt)));
        }
    }

    private Duration pause(int attempt) {
        Duration pause = settings.firstPause().multipliedBy(1L << Math.min(attempt - 1, 16));
        return pause.compareTo(MAX_PAUSE) > 0 ? MAX_PAUSE : pause;
    }

    /** Seconds or an HTTP date (RFC 9110 section 10.2.3). */
    static Optional<Duration> retryAfter(String text) {
        try {
            return Optional.of(Duration.ofSeconds(Math.max(0, Long.parseLong(text.strip()))));
        } catch (NumberFormatException e) {
            try {
                Instant at = ZonedDateTime.parse(text.strip(), DateTimeFormatter.RFC_1123_DATE_TIME)
                        .toInstant();
                Duration left = Duration.between(Instant.now(), at);
                return Optional.of(left.isNegative() ? Duration.ZERO : left);
            } catch (DateTimeParseException neither) {
                return Optional.empty();
            }
        }
    }

    private static void sleep(Duration time) throws IOException {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted");
    }

    private Answer once(URI start, Map<String, String> headers) throws IOException {
        URI uri = start;
        java.net.http.HttpHeaders first = null;
        for (int hop = 0; hop <= REDIRECTS; hop++) {
            HttpResponse<InputStream> response = send(uri, headers);
            first = first == null ? response.headers() : first;
            int status = response.statusCode();
            Optional<String> location = response.headers().firstValue("Location");
            if (status < 301 || status > 308 || status == 304 || location.isEmpty()) {
                return new Answer(uri, status, response, first);
            }
            response.body().close();
            uri = uri.resolve(location.get());
        }
        throw new IOException("more than %d redirects from %s".formatted(REDIRECTS, start.getHost()));
    }

    private HttpResponse<InputStream> send(URI uri, Map<String, String> headers) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .timeout(settings.stall())
                .header("User-Agent", "skulk")
                .header("Accept-Encoding", "identity");
        headers.forEach(request::header);
        if (trusted(uri)) {
            settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
        }
        try {
            HttpResponse<InputStream> response =
                    http().send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            return new GuardedResponse(response, new StallGuard(response.body(), settings.stall(), watch));
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    /** Whether the token may be sent: only to the configured scheme, host and port. */
    private boolean trusted(URI uri) {
        URI own = settings.endpoint();
        return own.getScheme().equalsIgnoreCase(uri.getScheme())
                && own.getHost().equalsIgnoreCase(uri.getHost())
                && own.getPort() == uri.getPort();
    }

    @Override
    public synchronized void close() {
        closed = true;
        http.ifPresent(HttpClient::shutdownNow);
        http = Optional.empty();
        watch.shutdownNow();
    }
}
