package skulk.runner.mlx.shard;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.MessageDigest;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import skulk.api.RankLinks;

/**
 * Links between ranks on this machine, for tools that run without a node. Rank 0 listens; each other rank tells it where it listens itself and hears where the
 * others do. Every connection begins with the group's key and the caller's rank; whoever does not know the key is not let in.
 */
public final class SocketLinks implements RankLinks, AutoCloseable {
    static final int KEY = 16;

    private final int self;
    private final Map<Integer, SocketChannel> peers = new ConcurrentHashMap<>();

    private SocketLinks(int self) {
        this.self = self;
    }

    /** A socket of the loopback device on a free port. */
    public static ServerSocketChannel listen() throws IOException {
        return ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    static int port(ServerSocketChannel server) throws IOException {
        return ((InetSocketAddress) server.getLocalAddress()).getPort();
    }

    /** Waits for all other ranks, as rank 0. @throws IOException where the server is closed before all are here */
    public static SocketLinks lead(ServerSocketChannel server, int ranks, byte[] key) throws IOException {
        SocketLinks links = new SocketLinks(0);
        try {
            ByteBuffer ports = ByteBuffer.allocate(4 * ranks);
            while (links.peers.size() < ranks - 1) {
                int rank = links.welcome(server, ranks, key);
                ports.putInt(4 * rank, read(links.peers.get(rank), 4).getInt());
            }
            for (SocketChannel channel : links.peers.values()) {
                write(channel, ports.duplicate().clear());
            }
            return links;
        } catch (IOException e) {
            links.close();
            throw e;
        }
    }

    /** Joins the group whose rank 0 listens at a port. */
    public static SocketLinks join(int self, int ranks, int leader, byte[] key) throws IOException {
        SocketLinks links = new SocketLinks(self);
        try (ServerSocketChannel server = listen()) {
            SocketChannel first = links.dial(0, leader, key);
            write(first, ByteBuffer.allocate(4).putInt(port(server)).flip());
            ByteBuffer ports = read(first, 4 * ranks);
            for (int peer = 1; peer < self; peer++) {
                links.dial(peer, ports.getInt(4 * peer), key);
            }
            while (links.peers.size() < ranks - 1) {
                links.welcome(server, ranks, key);
            }
            return links;
        } catch (IOException e) {
            links.close();
            throw e;
        }
    }

    private SocketChannel dial(int peer, int port, byte[] key) throws IOException {
        SocketChannel channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        write(channel, ByteBuffer.allocate(KEY + 4).put(key).putInt(self).flip());
        add(peer, channel);
        return channel;
    }

    /** The rank that called; strangers are sent away. */
    private int welcome(ServerSocketChannel server, int ranks, byte[] key) throws IOException {
        while (true) {
            SocketChannel channel = server.accept();
            ByteBuffer hello = read(channel, KEY + 4);
            byte[] told = new byte[KEY];
            int rank = hello.get(told).getInt();
            boolean expected = rank > self && rank < ranks && !peers.containsKey(rank);
            if (MessageDigest.isEqual(told, key) && expected) {
                add(rank, channel);
                return rank;
            }
            channel.close();
        }
    }

    private void add(int rank, SocketChannel channel) throws IOException {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        peers.put(rank, channel);
    }

    private static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static ByteBuffer read(SocketChannel channel, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        fill(channel, buffer);
        return buffer.flip();
    }

    private static void fill(SocketChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("closed by the other end");
            }
        }
    }

    @Override
    public void send(int rank, MemorySegment data) throws IOException {
        try {
            write(channel(rank), data.asByteBuffer());
        } catch (IOException e) {
            throw gone("send to", rank, e);
        }
    }

    @Override
    public void receive(int rank, MemorySegment into) throws IOException {
        try {
            fill(channel(rank), into.asByteBuffer());
        } catch (IOException e) {
            throw gone("receive from", rank, e);
        }
    }

    @Override
    public boolean arrived(int rank) throws IOException {
        return channel(rank).socket().getInputStream().available() > 0;
    }

    private IOException gone(String doing, int rank, IOException cause) {
        String why = cause.getMessage() == null ? "link closed" : cause.getMessage();
        return new IOException("rank %d cannot %s rank %d: %s".formatted(self, doing, rank, why), cause);
    }

    private SocketChannel channel(int rank) throws IOException {
        SocketChannel channel = peers.get(rank);
        if (channel == null) {
            throw new IOException("no link");
        }
        return channel;
    }

    @Override
    public void close() throws IOException {
        for (SocketChannel channel : peers.values()) {
            channel.close();
        }
    }
}
