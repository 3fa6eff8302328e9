package skulk.kernel.security;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;

/**
 * The TLS side of the HTTP server: the JDK's own, with certificates that are read again when they change, and with a deadline for handshakes. The deadline needs
 * a place of its own because the server reads nothing until the handshake is over: without it a client that connects and says nothing would hold a connection
 * for ever. Safe for use by several threads.
 */
public final class TlsServer {
    private final SSLContext context;
    private final Duration patience;
    private final Map<SocketAddress, CompletableFuture<Void>> handshakes = new ConcurrentHashMap<>();

    /**
     * @param patience longest handshake
     * @throws IOException where the files do not fit
     */
    public TlsServer(TlsFiles files, Duration patience) throws IOException {
        this.patience = patience;
        try {
            SSLContext jdk = SSLContext.getInstance("TLS");
            jdk.init(new KeyManager[] {new ReloadingKeys(files, System::nanoTime)}, null, null);
            this.context = new Watched(jdk);
        } catch (GeneralSecurityException e) {
            throw new IOException("api.tls: TLS cannot be set up: " + e.getMessage(), e);
        }
    }

    public SSLContext context() {
        return context;
    }

    /** The handshake with an address is over. */
    public void established(SocketAddress remote) {
        CompletableFuture<Void> deadline = handshakes.remove(remote);
        if (deadline != null) {
            deadline.complete(null);
        }
    }

    private void begins(Socket socket) {
        SocketAddress remote = socket.getRemoteSocketAddress();
        if (remote == null) {
            return;
        }
        CompletableFuture<Void> deadline = new CompletableFuture<>();
        handshakes.put(remote, deadline);
        deadline.orTimeout(patience.toNanos(), TimeUnit.NANOSECONDS)
                .whenCompleteAsync(
                        (done, late) -> {
                            if (late != null && handshakes.remove(remote, deadline)) {
                                close(socket);
                            }
                        },
                        task -> Thread.ofVirtual().name("tls-deadline").start(task));
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone, one way or another
        }
    }

    /** A context whose sockets are watched while they shake hands. */
    private final class Watched extends SSLContext {
        Watched(SSLContext jdk) {
            super(new Spi(jdk), jdk.getProvider(), jdk.getProtocol());
        }
    }

    private final class Spi extends SSLContextSpi {
        private final SSLContext jdk;

        Spi(SSLContext jdk) {
            this.jdk = jdk;
        }

        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
                throws KeyManagementException {
            throw new KeyManagementException("set up already");
        }

        @Override
        protected SSLSocketFactory engineGetSocketFactory() {
            return new Sockets(jdk.getSocketFactory());
        }

        @Override
        protected SSLServerSocketFactory engineGetServerSocketFactory() {
            return jdk.getServerSocketFactory();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine() {
            return jdk.createSSLEngine();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine(String host, int port) {
            return jdk.createSSLEngine(host, port);
        }

        @Override
        protected SSLSessionContext engineGetServerSessionContext() {
            return jdk.getServerSessionContext();
        }

        @Override
        protected SSLSessionContext engineGetClientSessionContext() {
            return jdk.getClientSessionContext();
        }
    }

    /** The JDK's sockets; those of accepted connections come through {@code createSocket(socket, consumed, autoClose)}. */
    private final class Sockets extends SSLSocketFactory {
        private final SSLSocketFactory jdk;

        Sockets(SSLSocketFactory jdk) {
            this.jdk = jdk;
        }

        @Override
        public Socket createSocket(Socket socket, InputStream consumed, boolean autoClose) throws IOException {
            begins(socket);
            return jdk.createSocket(socket, consumed, autoClose);
        }

        @Override
        public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
            return jdk.createSocket(socket, host, port, autoClose);
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return jdk.createSocket(host, port);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
            return jdk.createSocket(host, port, local, localPort);
        }

        @Override
        public Socket createSocket(InetAddress host, int port) throws IOException {
            return jdk.createSocket(host, port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) throws IOException {
            return jdk.createSocket(host, port, local, localPort);
        }

        @Override
        public String[] getDefaultCipherSuites() {
            return jdk.getDefaultCipherSuites();
        }

        @Override
        public String[] getSupportedCipherSuites() {
            return jdk.getSupportedCipherSuites();
        }
    }
}
