package skulk.api.fake;

import java.io.IOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports for nodes that are about to start. They lie below those that Linux gives to sockets that ask for any
 * ({@code ip_local_port_range}), of which another node, or the same one's API, could take one first.
 */
public final class FreePort {
    private static final int LOWEST = 20_000;
    private static final int HIGHEST = 32_000;
    private static final int TRIES = 100;

    private FreePort() {}

    /**
     * A port that nobody listens on.
     *
     * @throws IOException where none is found
     */
    public static int find() throws IOException {
        for (int i = 0; i < TRIES; i++) {
            try (ServerSocket socket =
                    new ServerSocket(ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST))) {
                return socket.getLocalPort();
            } catch (BindException e) {
                continue; // taken
            }
        }
        throw new IOException("no free port found from " + LOWEST + " to " + HIGHEST);
    }
}
