package skulk.kernel.rank;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import skulk.api.RankLinks;

/**
 * TCP between the ranks of one instance: every pair has one connection, dialled by the higher rank and authenticated by the listener's one-time key
 * ({@link LinkHandshake}). Each message has four bytes of length before it, so that a mismatch of sizes is an error with a name instead of garbage; a message of
 * length zero is a sign of life, sent each second. A peer silent for {@link #SILENCE} breaks the link: a stopped machine, a cut cable.
 */
final class TcpLinks implements RankLinks, AutoCloseable {
    static final Duration SILENCE = Duration.ofSeconds(5);
    private static final int BUFFERS = 4 << 20;

    private final int self;
    private final int world;
    private final byte[] key;
    private final ServerSocketChannel server;
    private final Map<Integer, ToRank.Peer> peers = new ConcurrentHashMap<>();
    private final Map<Integer, Link> links = new ConcurrentHashMap<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("rank-links").daemon().factory());

    private TcpLinks(int self, int world, byte[] key, ServerSocketChannel server) {
        this.self = self;
        this.world = world;
        this.key = key;
        this.server = server;
    }

    /** Begins to listen on a free port of every interface. */
    static TcpLinks listen(int self, int world) throws IOException {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        ServerSocketChannel server = ServerSocketChannel.open();
        server.bind(new InetSocketAddress(0), world);
        return new TcpLinks(self, world, key, server);
    }

    int port() {
        return server.socket().getLocalPort();
    }

    byte[] key() {
        return key.clone();
    }

    /**
     * Connects to all other ranks.
     *
     * @throws IOException naming the pairs that did not connect within the deadline
     */
    void connect(List<ToRank.Peer> peers, Duration deadline) throws IOException {
        peers(peers);
        CountDownLatch missing = new CountDownLatch(world - 1);
        Map<Integer, String> reasons = new ConcurrentHashMap<>();
        long end = System.nanoTime() + deadline.toNanos();
        Thread acceptor = Thread.ofVirtual().start(() -> accept(missing));
        List<Thread> dialers = peers.stream()
                .map(ToRank.Peer::rank)
                .filter(rank -> rank < self)
                .map(rank -> Thread.ofVirtual().start(() -> dial(rank, end, missing, reasons)))
                .toList();
        try {
            if (!missing.await(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException(unconnected(deadline, reasons));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while ranks connected", e);
        } finally {
            dialers.forEach(Thread::interrupt);
            acceptor.interrupt();
            server.close();
        }
        timer.scheduleAtFixedRate(this::tick, 1000, 1000, TimeUnit.MILLISECONDS);
    }

    /** Where the others listen; a rank that was started again listens elsewhere than before. Safe from any thread. */
    void peers(List<ToRank.Peer> peers) {
        peers.forEach(peer -> this.peers.put(peer.rank(), peer));
    }

    private String unconnected(Duration deadline, Map<Integer, String> reasons) {
        StringBuilder text = new StringBuilder("Ranks did not connect within %d s:".formatted(deadline.toSeconds()));
        TreeSet<Integer> others = new TreeSet<>();
        for (int rank = 0; rank < world; rank++) {
            if (rank != self && !links.containsKey(rank)) {
                others.add(rank);
            }
        }
        for (int other : others) {
            text.append(
                    " rank %d – rank %d (%s)".formatted(self, other, reasons.getOrDefault(other, "it did not call")));
        }
        return text.toString();
    }

    private void accept(CountDownLatch missing) {
        try {
            while (missing.getCount() > 0) {
                SocketChannel channel = server.accept();
                Thread.ofVirtual().start(() -> welcome(channel, missing));
            }
        } catch (IOException e) {
            return; // closed: all are here, or the deadline is over
        }
    }

    private void welcome(SocketChannel channel, CountDownLatch missing) {
        try {
            int rank = LinkHandshake.accept(channel, key, self);
            if (rank <= self || rank >= world) {
                throw new IOException("rank %d is not expected".formatted(rank));
            }
            add(rank, channel, missing);
        } catch (IOException e) {
            System.getLogger(TcpLinks.class.getName())
                    .log(System.Logger.Level.WARNING, "refused a connection to rank {0}: {1}", self, e.getMessage());
            closeQuietly(channel);
        }
    }

    private void dial(int rank, long end, CountDownLatch missing, Map<Integer, String> reasons) {
        while (System.nanoTime() < end && !Thread.currentThread().isInterrupted()) {
            ToRank.Peer peer = peers.get(rank);
            for (String address : peer.addresses()) {
                try {
                    SocketChannel channel = SocketChannel.open();
                    // a connect without a limit would hang on an address that swallows packets
                    channel.socket().connect(new InetSocketAddress(address, peer.port()), 2000);
                    LinkHandshake.dial(channel, peer.key(), self, peer.rank());
                    add(peer.rank(), channel, missing);
                    return;
                } catch (IOException e) {
                    reasons.put(peer.rank(), address + ":" + peer.port() + ": " + e.getMessage());
                }
            }
            try {
                Thread.sleep(100); // the other end may be a moment late; bounded by the deadline
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void add(int rank, SocketChannel channel, CountDownLatch missing) throws IOException {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.setOption(StandardSocketOptions.SO_SNDBUF, BUFFERS);
        channel.setOption(StandardSocketOptions.SO_RCVBUF, BUFFERS);
        if (links.putIfAbsent(rank, new Link(rank, channel)) == null) {
            missing.countDown();
        } else {
            throw new IOException("rank %d is connected already".formatted(rank));
        }
    }

    @Override
    public void send(int rank, MemorySegment data) throws IOException {
        link(rank).send(data);
    }

    @Override
    public void receive(int rank, MemorySegment into) throws IOException {
        link(rank).receive(into);
    }

    @Override
    public boolean arrived(int rank) throws IOException {
        return link(rank).incoming.available() > 0;
    }

    private Link link(int rank) throws IOException {
        Link link = links.get(rank);
        if (link == null) {
            throw new IOException("rank %d has no link to rank %d".formatted(self, rank));
        }
        return link;
    }

    /** What this rank waits for longest, such as "waits for rank 0 since 1.2 s", or "". */
    String waiting() {
        long now = System.nanoTime();
        return links.values().stream()
                .filter(link -> link.waitingSince != 0)
                .min((a, b) -> Long.compare(a.waitingSince, b.waitingSince))
                .map(link -> "waits for rank %d since %.1f s".formatted(link.peer, (now - link.waitingSince) / 1e9))
                .orElse("");
    }

    private void tick() {
        links.values().forEach(Link::tick);
    }

    @Override
    public void close() throws IOException {
        timer.shutdownNow();
        server.close();
        links.values().forEach(link -> closeQuietly(link.channel));
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            System.getLogger(TcpLinks.class.getName()).log(System.Logger.Level.DEBUG, "closing a link", e);
        }
    }

    /** One connection. */
    private final class Link {
        private final int peer;
        private final SocketChannel channel;
        private final InputStream incoming;
        private final ByteBuffer outHeader = ByteBuffer.allocateDirect(4);
        private final ByteBuffer inHeader = ByteBuffer.allocateDirect(4);
        private final Object sending = new Object();
        private volatile long waitingSince;
        private volatile long lastHeard = System.nanoTime();
        private volatile boolean sent;
        private volatile String broken = "";
        private final AtomicBoolean beating = new AtomicBoolean();

        Link(int peer, SocketChannel channel) throws IOException {
            this.peer = peer;
            this.channel = channel;
            this.incoming = channel.socket().getInputStream();
        }

        void send(MemorySegment data) throws IOException {
            sent = true;
            synchronized (sending) {
                outHeader.clear().putInt(Math.toIntExact(data.byteSize())).flip();
                ByteBuffer[] parts = {outHeader, data.asByteBuffer()};
                try {
                    while (parts[1].hasRemaining() || outHeader.hasRemaining()) {
                        channel.write(parts);
                    }
                } catch (IOException e) {
                    throw gone("send to", e);
                }
            }
        }

        void receive(MemorySegment into) throws IOException {
            waitingSince = System.nanoTime();
            lastHeard = waitingSince; // nobody listened before
            try {
                int length;
                do {
                    fill(inHeader.clear());
                    length = inHeader.getInt(0);
                    lastHeard = System.nanoTime();
                } while (length == 0);
                if (length != into.byteSize()) {
                    throw new IOException("rank %d expects %d bytes of rank %d and gets %d"
                            .formatted(self, into.byteSize(), peer, length));
                }
                fill(into.asByteBuffer());
            } finally {
                waitingSince = 0;
            }
        }

        private void fill(ByteBuffer buffer) throws IOException {
            try {
                while (buffer.hasRemaining()) {
                    if (channel.read(buffer) < 0) {
                        throw new EOFException("closed by rank " + peer);
                    }
                    lastHeard = System.nanoTime();
                }
            } catch (IOException e) {
                throw gone("receive from", e);
            }
        }

        private IOException gone(String doing, IOException cause) {
            String why = broken.isEmpty() ? cause.getMessage() : broken;
            return new IOException(
                    "rank %d cannot %s rank %d: %s".formatted(self, doing, peer, why == null ? "link closed" : why),
                    cause);
        }

        private void tick() {
            long since = waitingSince;
            if (since != 0 && System.nanoTime() - lastHeard > SILENCE.toNanos()) {
                broken = "no sign of life for %d s".formatted(SILENCE.toSeconds());
                closeQuietly(channel);
                return;
            }
            if (!sent) {
                beat();
            }
            sent = false;
        }

        /** Whoever is in the middle of a message gives a sign of life by it. */
        private void beat() {
            if (!beating.compareAndSet(false, true)) {
                return; // the peer has not read the last one: it computes
            }
            Thread.ofVirtual().start(() -> {
                synchronized (sending) {
                    ByteBuffer zero = ByteBuffer.allocate(4);
                    try {
                        while (zero.hasRemaining()) {
                            channel.write(zero);
                        }
                    } catch (IOException e) {
                        broken = broken.isEmpty() ? String.valueOf(e.getMessage()) : broken;
                    } finally {
                        beating.set(false);
                    }
                }
            });
        }
    }
}
