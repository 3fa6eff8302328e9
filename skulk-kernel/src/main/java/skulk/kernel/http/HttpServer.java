package skulk.kernel.http;

import io.helidon.common.socket.SocketOptions;
import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.HttpFeature;
import skulk.kernel.config.Configuration;
import skulk.kernel.plugin.Offers;
import skulk.kernel.security.Access;
import skulk.kernel.security.Authenticator;
import skulk.kernel.security.KeyAuthenticator;
import skulk.kernel.security.KeyStore;
import skulk.kernel.security.TlsServer;

/**
 * The node's HTTP surface. Bound early, so that a taken port is known at once; features are mounted last and unmounted first, and are exchanged on a rescan
 * without restarting the server. {@link #mount} is for one thread at a time.
 */
public final class HttpServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(HttpServer.class.getName());
    private static final Duration DRAIN = Duration.ofSeconds(5);

    private final HttpOptions options;
    private final Entrance entrance;
    private final WebServer server;
    private List<Mount> mounts = List.of();

    private HttpServer(HttpOptions options, Entrance entrance, WebServer server) {
        this.options = options;
        this.entrance = entrance;
        this.server = server;
    }

    /**
     * Binds and begins to answer, with 503 until features are mounted.
     *
     * @param keys that let callers in, as they are at each request
     * @throws IOException where the address cannot be bound, or must not be without keys; the message says what to do
     */
    public static HttpServer start(Configuration configuration, KeyStore keys) throws IOException {
        HttpOptions options = HttpOptions.of(configuration);
        Access access = Access.of(configuration);
        refuse(options.host(), access, keys);
        Optional<TlsServer> tls = options.tls().isPresent()
                ? Optional.of(new TlsServer(options.tls().get(), options.headTimeout()))
                : Optional.empty();
        GuardSelector guards = new GuardSelector(options, tls);
        Entrance entrance = new Entrance(options, guards, new KeyAuthenticator(keys::ring, access));
        DirectHandlers.Builder direct = DirectHandlers.builder();
        for (DirectHandler.EventType event : Entrance.events()) {
            direct.addHandler(event, entrance);
        }
        WebServerConfig.Builder builder = WebServer.builder()
                .host(options.host())
                .port(options.port())
                .shutdownHook(false)
                .featuresDiscoverServices(false)
                .protocolsDiscoverServices(false)
                .addConnectionSelector(guards)
                .maxPayloadSize(options.bodyLimit())
                .maxTcpConnections(options.maxConnections())
                .backlog(1024)
                .connectionOptions(SocketOptions.builder()
                        .tcpNoDelay(true)
                        .socketKeepAlive(true)
                        .build())
                .shutdownGracePeriod(Duration.ofMillis(500))
                .directHandlers(direct.build())
                .routing(HttpRouting.builder().any(entrance));
        // not over NIO: it looks the client's name up, and leaves nobody to watch the handshake
        tls.ifPresent(
                t -> builder.tls(Tls.builder().sslContext(t.context()).build()).useNio(false));
        return new HttpServer(options, entrance, bind(builder.build(), options));
    }

    /** Nobody means to let everybody in. */
    private static void refuse(String host, Access access, KeyStore keys) throws IOException {
        if (access.insecure() || !keys.ring().keys().isEmpty()) {
            return;
        }
        if (!loopback(host)) {
            throw new IOException(
                    "api.host " + host
                            + " listens beyond this machine: set api.keys, or api.insecure: true if everybody may use this node");
        }
        if (!access.loopbackOpen()) {
            throw new IOException(
                    "api.loopback_open is false and there is no API key: nobody could use this node; set api.keys");
        }
    }

    private static WebServer bind(WebServer server, HttpOptions options) throws IOException {
        try (ServerSocket probe = new ServerSocket()) { // Helidon only logs that it could not bind
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(InetAddress.getByName(options.host()), options.port()));
        } catch (BindException e) {
            throw new IOException(
                    "cannot listen on %s:%d (%s); choose another port with --api-port (0 = any free one)"
                            .formatted(options.host(), options.port(), e.getMessage()),
                    e);
        }
        server.start();
        if (!server.isRunning()) {
            throw new IOException("cannot listen on %s:%d".formatted(options.host(), options.port()));
        }
        return server;
    }

    private static boolean loopback(String host) throws IOException {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new IOException("api.host " + host + " is not an address of this machine", e);
        }
    }

    /** The bound port. */
    public int port() {
        return server.port();
    }

    /** The address to call it at from this machine. */
    public String url() {
        String host = options.host().equals("0.0.0.0") || options.host().equals("::") ? "127.0.0.1" : options.host();
        return (options.tls().isPresent() ? "https://" : "http://") + (host.contains(":") ? "[" + host + "]" : host)
                + ":" + port();
    }

    /** Exchanges who is asked. */
    public void authenticator(Authenticator authenticator) {
        entrance.authenticator(authenticator);
    }

    /** Answers with the features of these offers from now on, and waits a little for requests of those that are gone. */
    public synchronized void mount(Offers offers) {
        List<Mount> next = new ArrayList<>();
        for (Offers.Origin origin : offers.origins()) {
            if (origin.extension() instanceof HttpFeature feature) {
                next.add(mounts.stream()
                        .filter(m -> m.feature() == feature)
                        .findFirst()
                        .orElseGet(() -> new Mount(feature, origin.routes())));
            }
        }
        List<Mount> leaving = mounts.stream().filter(m -> !next.contains(m)).toList();
        mounts = List.copyOf(next);
        entrance.routes(new RouteTable(mounts));
        leaving.forEach(HttpServer::drain);
    }

    private static void drain(Mount mount) {
        try {
            if (!mount.awaitIdle(DRAIN)) {
                LOG.log(
                        Level.WARNING,
                        "Requests of {0} were still running when it was withdrawn",
                        mount.feature().name());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops listening and closes what is open. */
    @Override
    public void close() {
        server.stop();
    }
}
