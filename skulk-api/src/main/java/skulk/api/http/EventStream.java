package skulk.api.http;

/**
 * A response in pieces, each flushed as it is sent. Safe for use by several threads: a keep-alive timer and the producer.
 *
 * <p>A client that has gone makes {@link #send} throw {@link ClientGone}; a client that reads too slowly counts as gone once the kernel's bounded
 * buffer stays full for its time limit.
 */
public interface EventStream extends AutoCloseable {

    /** Sends bytes exactly as they are, framing included. */
    void send(String frame);

    /** Whether the client is known to have gone; turns true without a send as well. */
    boolean gone();

    /** Runs an action once when the client goes before the stream is closed; at once where it has gone already. */
    void onGone(Runnable action);

    /** Ends the response. */
    @Override
    void close();

    /** The content type. */
    enum Kind {
        SERVER_SENT_EVENTS("text/event-stream"),
        NDJSON("application/x-ndjson"),
        JSON("application/json"),
        TEXT("text/plain; charset=utf-8");

        private final String contentType;

        Kind(String contentType) {
            this.contentType = contentType;
        }

        public String contentType() {
            return contentType;
        }
    }

    /** The client closed the connection or stopped reading. */
    final class ClientGone extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public ClientGone(String message) {
            super(message, null, false, false);
        }
    }
}
