package skulk.kernel.cluster;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Topology;
import skulk.api.cluster.Topology.Edge;
import skulk.kernel.telemetry.MachineProbe;

/**
 * Verifies which addresses of the other members this node reaches, and how fast, and tells the cluster: these are the edges that placements are made of (contract
 * section 1, {@code topology}). A member answers on a port of its own that echoes a few bytes, counts what follows, and does nothing else; a node alone opens none.
 *
 * <p>Members are measured when they appear and every ten seconds after; how much an address carries only when it is new, with at most {@value #MOST} bytes or a
 * fifth of a second. Where the cluster knows of no edge, what it takes to have one is said and done again every two seconds: a message may come before its receiver
 * knows of the sender, and a report go down with the side of a merge that gave way. That members are gone is for the membership to notice.
 */
final class Reachability implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Reachability.class.getName());
    private static final int ECHO = 16;
    /** First byte of the last message that is echoed. */
    private static final byte LAST = 1;

    private static final int LEAST_ROUNDS = 5;
    private static final int MOST_ROUNDS = 40;
    /** Time from which the least number of rounds will do: on a busy machine one takes as long as a turn of the scheduler. */
    private static final long ENOUGH_NANOS = 10_000_000;

    private static final long LOOK_NANOS = 200_000;
    private static final int CONNECT_MILLIS = 2000;
    private static final long AGAIN_SECONDS = 10;
    private static final long MISSING_SECONDS = 2;
    private static final int CHUNK = 64 << 10;
    /** Bytes sent at most to see how many a link carries. */
    private static final int MOST = 8 << 20;

    private static final long LONGEST_NANOS = 200_000_000;

    private final NodeId self;
    private final ClusterNode cluster;
    private final IntSupplier apiPort;
    private final Map<NodeId, Message.ProbeEndpoint> endpoints = new ConcurrentHashMap<>();
    private final Map<NodeId, Map<String, Link>> told = new ConcurrentHashMap<>();
    private final Set<NodeId> measuring = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("reachability").daemon().factory());
    private volatile List<NodeId> members = List.of();
    private Optional<ServerSocket> server = Optional.empty();

    Reachability(NodeId self, ClusterNode cluster, IntSupplier apiPort) {
        this.self = self;
        this.cluster = cluster;
        this.apiPort = apiPort;
        timer.scheduleWithFixedDelay(
                () -> endpoints.keySet().forEach(this::measureLater), AGAIN_SECONDS, AGAIN_SECONDS, TimeUnit.SECONDS);
        timer.scheduleWithFixedDelay(this::seekMissing, MISSING_SECONDS, MISSING_SECONDS, TimeUnit.SECONDS);
    }

    private void seekMissing() {
        try {
            Topology known = cluster.view().topology();
            members.stream().filter(node -> !node.equals(self)).forEach(node -> {
                if (known.edges(self, node).isEmpty()) {
                    measureLater(node);
                }
                if (known.edges(node, self).isEmpty()) {
                    endpoint().ifPresent(own -> cluster.send(node, own));
                }
            });
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "edges are sought again in " + MISSING_SECONDS + " s", e); // the timer must not end
        }
    }

    /** On the control thread. */
    void viewChanged(ClusterView view) {
        if (view.members().equals(members)) {
            return;
        }
        boolean grew = !members.containsAll(view.members());
        members = view.members();
        endpoints.keySet().retainAll(members);
        told.keySet().retainAll(members);
        if (members.size() > 1 && grew) {
            endpoint().ifPresent(cluster::broadcast);
        }
    }

    /** Where this node is measured. */
    private synchronized Optional<Message> endpoint() {
        listen();
        return server.map(s -> new Message.ProbeEndpoint(Addresses.own(), s.getLocalPort(), apiPort.getAsInt()));
    }

    /** On the control thread. */
    void heard(NodeId node, Message.ProbeEndpoint endpoint) {
        if (!node.equals(self)) {
            boolean first = endpoints.put(node, endpoint) == null;
            measureLater(node);
            if (first) {
                // what this node told may have come before the other knew of it, and was dropped with the next view
                endpoint().ifPresent(own -> cluster.send(node, own));
            }
        }
    }

    private void listen() {
        if (server.isPresent()) {
            return;
        }
        try {
            ServerSocket opened = new ServerSocket(0);
            server = Optional.of(opened);
            Thread.ofVirtual().name("probe-accept").start(() -> accept(opened));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "no port to be measured on: {0}", e.getMessage());
        }
    }

    private static void accept(ServerSocket server) {
        try {
            while (true) {
                Socket socket = server.accept();
                Thread.ofVirtual().name("probe-echo").start(() -> echo(socket));
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "measured no more", e); // closed
        }
    }

    private static void echo(Socket socket) {
        try (socket) {
            socket.setSoTimeout(CONNECT_MILLIS);
            socket.setTcpNoDelay(true);
            InputStream in = socket.getInputStream();
            byte[] bytes = new byte[ECHO];
            while (bytes[0] != LAST) {
                look(in);
                bytes = in.readNBytes(ECHO);
                if (bytes.length < ECHO) {
                    return;
                }
                socket.getOutputStream().write(bytes);
            }
            long count = in.transferTo(OutputStream.nullOutputStream());
            new DataOutputStream(socket.getOutputStream()).writeLong(count);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "a measurement ended early", e);
        }
    }

    /** Waits awake for a moment, as ranks do: waking up would take longer than the way of a message on a fast link. */
    private static void look(InputStream in) throws IOException {
        long start = System.nanoTime();
        while (in.available() == 0 && System.nanoTime() - start < LOOK_NANOS) {
            Thread.onSpinWait();
        }
    }

    private void measureLater(NodeId node) {
        if (measuring.add(node)) { // whoever is not reached takes a while
            Thread.ofVirtual().name("probe").start(() -> {
                try {
                    measure(node);
                } finally {
                    measuring.remove(node);
                }
            });
        }
    }

    private void measure(NodeId node) {
        Message.ProbeEndpoint endpoint = endpoints.get(node);
        if (endpoint == null) {
            return;
        }
        List<String> own = Addresses.own();
        Map<String, Edge> found = new HashMap<>();
        for (String address : endpoint.addresses()) {
            // the other's loopback address is this machine unless both are on it
            boolean loopback = address.startsWith("127.") || address.equals("::1");
            if (!loopback
                    || own.stream()
                            .anyMatch(a ->
                                    !a.equals(address) && endpoint.addresses().contains(a))
                    || own.size() == 1) {
                Optional<Edge> known = Optional.ofNullable(
                                told.getOrDefault(node, Map.of()).get(address))
                        .map(Link::told);
                edge(address, endpoint, known).ifPresent(edge -> found.put(address, edge));
            }
        }
        if (!endpoint.equals(endpoints.get(node))) {
            return; // it has left or moved meanwhile
        }
        tell(node, found);
    }

    private void tell(NodeId node, Map<String, Edge> found) {
        Map<String, Link> before = told.getOrDefault(node, Map.of());
        List<Event> events = new ArrayList<>();
        before.forEach((address, link) -> {
            if (!found.containsKey(address)) {
                events.add(new Event.TopologyEdgeDeleted(new Event.Connection(self, node, link.told())));
            }
        });
        // whoever lost sight of this node for a moment, of which this node knows nothing, has forgotten its edges
        Set<String> known = cluster.view().topology().edges(self, node).stream()
                .map(Edge::address)
                .collect(Collectors.toSet());
        Map<String, Link> now = new HashMap<>();
        found.forEach((address, edge) -> {
            Optional<Link> last = Optional.ofNullable(before.get(address));
            Link link = last.map(k -> k.measured(edge)).orElseGet(() -> Link.of(edge));
            now.put(address, link);
            boolean news = !last.map(Link::told).equals(Optional.of(link.told()));
            if (news || !known.contains(address)) {
                events.add(new Event.TopologyEdgeCreated(new Event.Connection(self, node, link.told())));
            }
        });
        told.put(node, now);
        if (!events.isEmpty()) {
            cluster.report(events);
        }
    }

    private static Optional<Edge> edge(String address, Message.ProbeEndpoint endpoint, Optional<Edge> known) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, endpoint.port()), CONNECT_MILLIS);
            socket.setSoTimeout(CONNECT_MILLIS);
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            List<Double> micros = new ArrayList<>();
            long enough = System.nanoTime() + ENOUGH_NANOS;
            boolean last = false;
            while (!last) {
                last = micros.size() + 1 >= MOST_ROUNDS
                        || micros.size() + 1 >= LEAST_ROUNDS && System.nanoTime() > enough;
                byte[] message = new byte[ECHO];
                message[0] = last ? LAST : 0;
                long start = System.nanoTime();
                out.write(message);
                look(in);
                if (in.readNBytes(ECHO).length < ECHO) {
                    return Optional.empty();
                }
                micros.add((System.nanoTime() - start) / 1e3);
            }
            micros.sort(Comparator.naturalOrder());
            NetworkInterface card = NetworkInterface.getByInetAddress(socket.getLocalAddress());
            String kind = card == null || card.isLoopback() ? "unknown" : MachineProbe.kind(card.getName());
            double latency = micros.get(micros.size() / 2);
            boolean again = known.isEmpty() || known.get().bytesPerSecond() <= 0 || Link.faster(latency, known.get());
            double carried = again ? throughput(socket) : known.get().bytesPerSecond();
            return Optional.of(new Edge(address, endpoint.apiPort(), kind, latency, carried));
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "{0} is not reached: {1}", address, e.getMessage());
            return Optional.empty();
        }
    }

    /** Bytes per second that arrive at the other end. */
    private static double throughput(Socket socket) throws IOException {
        byte[] chunk = new byte[CHUNK];
        OutputStream out = socket.getOutputStream();
        long start = System.nanoTime();
        for (int sent = 0; sent < MOST && System.nanoTime() - start < LONGEST_NANOS; sent += CHUNK) {
            out.write(chunk);
        }
        socket.shutdownOutput();
        long arrived = new DataInputStream(socket.getInputStream()).readLong();
        return arrived * 1e9 / (System.nanoTime() - start);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        server.ifPresent(s -> {
            try {
                s.close();
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "closing", e);
            }
        });
    }
}
