package skulk.kernel.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.spi.ServerConnection;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One client connection around Helidon's: reads ahead (see {@link ReadAhead}), so that slow senders meet a deadline in every phase of a request and a leaving
 * client is noticed at once; and drains what an early refusal has left unread, so that the refusal is read before the connection closes.
 */
final class Guard implements ServerConnection, ConnectionContext {
    private static final System.Logger LOG = System.getLogger(Guard.class.getName());
    static final byte[] HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final Duration LINGER = Duration.ofMillis(500);

    private final ConnectionContext context;
    private final HttpOptions options;
    private final Protocols protocols;
    private final ReadAhead ahead;
    private final DataReader reader;
    private final List<Runnable> goneActions = new CopyOnWriteArrayList<>();
    private final StreamResets resets = new StreamResets();
    private final AtomicInteger active = new AtomicInteger();
    private volatile boolean gone;
    private volatile boolean multiplexed;
    private volatile boolean unfinished;
    private volatile boolean closing;
    private volatile Optional<ServerConnection> delegate = Optional.empty();

    /** Something that ends with the read of a body. */
    interface BodyWait extends AutoCloseable {
        @Override
        void close();
    }

    /** Makes Helidon's connection for a protocol. */
    interface Protocols {
        ServerConnection http1(ConnectionContext context);

        ServerConnection http2(ConnectionContext context);
    }

    Guard(ConnectionContext context, HttpOptions options, Protocols protocols) {
        this.context = context;
        this.options = options;
        this.protocols = protocols;
        DataReader original = context.dataReader();
        this.ahead = new ReadAhead(() -> read(original), this::ended);
        this.reader = DataReader.create(this::next);
    }

    private byte[] next() {
        byte[] bytes = ahead.get();
        if (multiplexed && bytes != null) {
            resets.seen(bytes);
        }
        return bytes;
    }

    private static byte[] read(DataReader original) {
        try {
            original.ensureAvailable();
            return original.readBytes(original.available());
        } catch (DataReader.InsufficientDataAvailableException e) {
            return null;
        }
    }

    @Override
    public void handle(Limit limit) throws InterruptedException {
        ahead.start();
        idle();
        try {
            ServerConnection made = isHttp2() ? http2() : protocols.http1(this);
            delegate = Optional.of(made);
            if (closing) {
                return;
            }
            made.handle(limit);
        } catch (DataReader.InsufficientDataAvailableException | CloseConnectionException e) {
            // nobody ever said anything, or the end was agreed on
        } catch (RuntimeException e) {
            // handlers' faults never come here: the client's bytes were more than Helidon could parse, and must not
            // fill the log
            LOG.log(Level.DEBUG, "A connection was closed", e);
        } finally {
            if (unfinished && !multiplexed) {
                linger();
            }
            ahead.stop();
            ended();
        }
    }

    private boolean isHttp2() {
        for (int i = 0; i < HTTP2_PREFACE.length; i++) {
            while (reader.available() <= i) {
                reader.pullData();
            }
            BufferData seen = reader.getBuffer(i + 1);
            seen.skip(i);
            if (seen.read() != (HTTP2_PREFACE[i] & 0xFF)) {
                return false;
            }
        }
        return true;
    }

    private ServerConnection http2() {
        upgraded();
        return protocols.http2(this);
    }

    /** From here on many requests share the connection, and silence of the client says nothing while one is under way. */
    void upgraded() {
        byte[] here = new byte[reader.available()];
        if (here.length > 0) {
            reader.getBuffer(here.length).read(here);
            resets.seen(here);
        }
        multiplexed = true;
        idleTogether();
    }

    /** Nothing is under way on a shared connection; what comes now, be it a ping, is a sign of life. */
    private void idleTogether() {
        ahead.expect(options.idleTimeout().toNanos(), () -> {
            if (active.get() == 0) {
                idleTogether();
            }
        });
    }

    private void idle() {
        ahead.expect(options.idleTimeout().toNanos(), () -> {
            unfinished = true;
            ahead.expect(options.headTimeout().toNanos(), () -> {});
        });
    }

    /** A request has arrived with its head: its handler may take its time. */
    void requestBegins() {
        if (multiplexed) {
            active.incrementAndGet();
        }
        ahead.expectNothing();
    }

    /** The handler wants the body now; closed when it is here, or will not come. */
    BodyWait bodyBegins() {
        if (multiplexed) {
            return BodyWatch.begin(this, options.bodyTimeout());
        }
        ahead.expect(options.bodyTimeout().toNanos(), () -> {});
        return () -> {};
    }

    /** The body is here, whole. */
    void bodyEnds() {
        unfinished = false;
        ahead.expectNothing();
    }

    /** The request is done. @param request its stream where the connection is shared */
    void requestEnds(int request, boolean bodyRead) {
        resets.ended(request);
        if (!multiplexed) {
            goneActions.clear();
            unfinished = !bodyRead;
            idle();
        } else if (active.decrementAndGet() == 0) {
            idleTogether();
        }
    }

    boolean timedOut() {
        return ahead.timedOut();
    }

    boolean gone() {
        return gone;
    }

    /** As {@link #onGone(Runnable)}, and when the client gives up this one request of a shared connection. */
    Runnable onGone(int request, Runnable action) {
        AtomicBoolean open = new AtomicBoolean(true);
        Runnable once = () -> {
            if (open.compareAndSet(true, false)) {
                action.run();
            }
        };
        Runnable unregister = onGone(once);
        if (multiplexed) {
            resets.watch(request, once);
        }
        return () -> {
            open.set(false);
            unregister.run();
        };
    }

    /** Runs an action once when the client has gone; at once where it has already. */
    Runnable onGone(Runnable action) {
        AtomicBoolean open = new AtomicBoolean(true);
        Runnable once = () -> {
            if (open.compareAndSet(true, false)) {
                action.run();
            }
        };
        goneActions.add(once);
        if (gone) {
            once.run();
        }
        return () -> {
            open.set(false);
            goneActions.remove(once);
        };
    }

    /** Cuts the connection: a write that hangs on a client that does not read ends. */
    void cut() {
        context.serverSocket().close();
        ended();
    }

    private void ended() {
        gone = true;
        for (Runnable action : goneActions) {
            action.run();
        }
    }

    private void linger() {
        long end = System.nanoTime() + LINGER.toNanos();
        ahead.expect(LINGER.toNanos(), () -> {});
        while (!ahead.atEnd() && System.nanoTime() < end && ahead.get() != null) {
            // what the client still sends is of no interest any more
        }
    }

    @Override
    public Duration idleTime() {
        // idle connections meet the deadline of ReadAhead; Helidon's timer must not interrupt long answers
        return Duration.ZERO;
    }

    @Override
    public void close(boolean interrupt) {
        closing = true;
        delegate.ifPresentOrElse(d -> d.close(interrupt), ahead::stop);
        if (interrupt) {
            ahead.stop();
        }
    }

    @Override
    public DataReader dataReader() {
        return reader;
    }

    @Override
    public DataWriter dataWriter() {
        return context.dataWriter();
    }

    @Override
    public ListenerContext listenerContext() {
        return context.listenerContext();
    }

    @Override
    public ExecutorService executor() {
        return context.executor();
    }

    @Override
    public Router router() {
        return context.router();
    }

    @Override
    public Optional<ProxyProtocolData> proxyProtocolData() {
        return context.proxyProtocolData();
    }

    @Override
    public HelidonSocket serverSocket() {
        return context.serverSocket();
    }

    @Override
    public PeerInfo remotePeer() {
        return context.remotePeer();
    }

    @Override
    public PeerInfo localPeer() {
        return context.localPeer();
    }

    @Override
    public boolean isSecure() {
        return context.isSecure();
    }

    @Override
    public String socketId() {
        return context.socketId();
    }

    @Override
    public String childSocketId() {
        return context.childSocketId();
    }
}
