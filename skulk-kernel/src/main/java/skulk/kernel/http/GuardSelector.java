package skulk.kernel.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.http.HttpPrologue;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.http1.spi.Http1Upgrader;
import io.helidon.webserver.http2.Http2Config;
import io.helidon.webserver.http2.Http2ConnectionSelector;
import io.helidon.webserver.http2.Http2Upgrader;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import skulk.kernel.security.TlsServer;

/** The one way into the server: every connection gets a {@link Guard}, which tells HTTP/1.1 from HTTP/2 by the first bytes. */
final class GuardSelector implements ServerConnectionSelector, Guard.Protocols {
    private final Map<SocketAddress, Guard> guards = new ConcurrentHashMap<>();
    private final HttpOptions options;
    private final Optional<TlsServer> tls;
    private final Http1ConnectionSelector http1;
    private final Http2ConnectionSelector http2;

    /** @param tls told of each connection that has shaken hands */
    GuardSelector(HttpOptions options, Optional<TlsServer> tls) {
        this.options = options;
        this.tls = tls;
        Http2Config http2Config = Http2Config.builder()
                .maxConcurrentStreams(options.maxStreams())
                .maxHeaderListSize(options.maxHeaders())
                .flowControlTimeout(options.timeouts().write())
                .build();
        this.http2 = Http2ConnectionSelector.builder().http2Config(http2Config).build();
        this.http1 = Http1ConnectionSelector.builder()
                .config(Http1Config.builder()
                        .maxPrologueLength(options.maxLine())
                        .maxHeadersSize(options.maxHeaders())
                        .build())
                .putUpgrader("h2c", new Upgrader(Http2Upgrader.create(http2Config)))
                .build();
    }

    /** Switches a guarded connection to HTTP/2. */
    private record Upgrader(Http1Upgrader delegate) implements Http1Upgrader {
        @Override
        public String supportedProtocol() {
            return delegate.supportedProtocol();
        }

        @Override
        public ServerConnection upgrade(ConnectionContext context, HttpPrologue prologue, WritableHeaders<?> headers) {
            if (context instanceof Guard guard) {
                guard.upgraded();
            }
            return delegate.upgrade(context, prologue, headers);
        }
    }

    /** The guard of the connection from an address. */
    Optional<Guard> guard(SocketAddress remote) {
        return Optional.ofNullable(guards.get(remote));
    }

    @Override
    public int bytesToIdentifyConnection() {
        return 0;
    }

    @Override
    public Support supports(BufferData data) {
        return Support.SUPPORTED;
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return Set.of("h2", "http/1.1");
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
        tls.ifPresent(server -> server.established(context.remotePeer().address()));
        return new Registered(context.remotePeer().address(), new Guard(context, options, this));
    }

    @Override
    public ServerConnection http1(ConnectionContext context) {
        return http1.connection(context);
    }

    @Override
    public ServerConnection http2(ConnectionContext context) {
        return http2.connection(context);
    }

    /** Keeps a guard findable for the time of its connection. */
    private final class Registered implements ServerConnection {
        private final SocketAddress remote;
        private final Guard guard;

        Registered(SocketAddress remote, Guard guard) {
            this.remote = remote;
            this.guard = guard;
        }

        @Override
        public void handle(Limit limit) throws InterruptedException {
            guards.put(remote, guard);
            try {
                guard.handle(limit);
            } finally {
                guards.remove(remote, guard);
            }
        }

        @Override
        public Duration idleTime() {
            return guard.idleTime();
        }

        @Override
        public void close(boolean interrupt) {
            guard.close(interrupt);
        }
    }
}
