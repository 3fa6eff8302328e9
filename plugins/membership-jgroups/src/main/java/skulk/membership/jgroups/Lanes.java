package skulk.membership.jgroups;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jgroups.Address;
import org.jgroups.PhysicalAddress;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.TCP;
import org.jgroups.util.Util;

/**
 * TCP with a lane of its own to each other node. In JGroups' own transport one thread writes to all of them, so a single node that takes nothing, as behind a cut
 * cable or a link that lost one direction, holds up everything for the others, heartbeats included, and these lose each other as well; a view could not even be
 * installed while the connection to whoever left refused to close.
 *
 * <p>A lane drops what comes while it is full, which the protocols above send again. A connection on which nothing was heard for {@link #STALE} is made anew: what
 * the system resends after an outage comes at intervals that double, a new connection as soon as there is a way.
 */
final class Lanes extends TCP {
    /** Members say something each half second; on a machine under load it takes longer. */
    private static final Duration STALE = Duration.ofSeconds(3);

    private static final Duration STUCK = Duration.ofSeconds(1);

    /** More than the credits that flow control gives for one node, unicast and multicast together. */
    private static final long MOST_BYTES = 16 << 20;

    private final Map<Address, Lane> lanes = new ConcurrentHashMap<>();
    private volatile Set<Address> seen = Set.of(); // where the members of the last view are

    Lanes() {
        setId(ClassConfigurator.getProtocolId(TCP.class)); // what its headers are known by
    }

    @Override
    public void sendUnicast(PhysicalAddress to, byte[] data, int offset, int length) {
        lanes.computeIfAbsent(to, Lane::new).send(Arrays.copyOfRange(data, offset, offset + length));
    }

    @Override
    public void receive(Address sender, byte[] data, int offset, int length) {
        heard(sender);
        super.receive(sender, data, offset, length);
    }

    @Override
    public void receive(Address sender, java.io.DataInput in, int length) throws Exception {
        heard(sender);
        super.receive(sender, in, length);
    }

    private void heard(Address sender) {
        Lane lane = lanes.get(sender);
        if (lane != null) {
            lane.heard = System.nanoTime();
        }
    }

    /**
     * Closes what leads to those who left, and only that: whoever is joining has connections already and is in no view
     * yet. JGroups' own way forgets a connection that comes meanwhile without closing it; the other end then keeps it
     * and refuses every new one. Closing takes a moment where the other end takes nothing; a view does not wait for it.
     */
    @Override
    public void retainAll(Collection<Address> members) {
        Set<Address> left = new HashSet<>(seen);
        left.removeAll(members);
        seen = Set.copyOf(members);
        left.stream()
                .map(lanes::get)
                .filter(lane -> lane != null && lane.stuck())
                .forEach(Lane::hangUp);
        lanes.keySet().retainAll(members);
        srv.forAllConnections((address, connection) -> {
            if (left.contains(address)) {
                Thread.ofVirtual().name("cluster-close").start(() -> srv.closeConnection(connection, false));
            }
        });
    }

    /** Words of farewell wait behind what is written; not for longer than it takes somebody who reads. */
    @Override
    protected void handleDisconnect() {
        Thread watch = Thread.ofVirtual().name("cluster-close").start(() -> {
            try {
                Thread.sleep(STUCK);
                lanes.values().stream().filter(Lane::writes).forEach(Lane::hangUp);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // all is closed
            }
        });
        super.handleDisconnect();
        watch.interrupt();
    }

    private void transmit(PhysicalAddress to, byte[] bytes) throws Exception {
        super.sendUnicast(to, bytes, 0, bytes.length);
    }

    private final class Lane {
        private final PhysicalAddress to;
        private final ConcurrentLinkedQueue<byte[]> queue = new ConcurrentLinkedQueue<>();
        private final AtomicInteger waiting = new AtomicInteger();
        private final AtomicLong bytes = new AtomicLong();
        private volatile long heard = System.nanoTime();
        private volatile long writing; // since when; 0 = not

        Lane(Address to) {
            this.to = (PhysicalAddress) to;
        }

        void send(byte[] message) {
            if (bytes.addAndGet(message.length) > MOST_BYTES) {
                bytes.addAndGet(-message.length);
                renewWhereStale(); // whoever writes may be stuck in it
                return;
            }
            queue.add(message);
            if (waiting.getAndIncrement() == 0) {
                Thread.ofVirtual().name("cluster-lane").start(this::drain);
            } else {
                renewWhereStale();
            }
        }

        private void drain() {
            int seen = waiting.get();
            do {
                for (byte[] message = queue.poll(); message != null; message = queue.poll()) {
                    bytes.addAndGet(-message.length);
                    renewWhereStale();
                    writing = System.nanoTime();
                    try {
                        transmit(to, message);
                    } catch (Exception e) {
                        log.debug("%s: message to %s lost: %s", local_addr, to, e);
                    }
                    writing = 0;
                }
                seen = waiting.addAndGet(-seen);
            } while (seen != 0);
        }

        private void renewWhereStale() {
            long now = System.nanoTime();
            if (now - heard > STALE.toNanos() && connected) {
                heard = now; // the next try has as much time
                hangUp();
            }
        }

        boolean writes() {
            return writing != 0;
        }

        /** Whether a write takes longer than any to somebody who reads. */
        boolean stuck() {
            long since = writing;
            return since != 0 && System.nanoTime() - since > STUCK.toNanos();
        }

        /** Without the word of farewell, which would wait behind a write that is stuck. */
        void hangUp() {
            srv.forAllConnections((peer, connection) -> {
                if (peer.equals(to)) {
                    connection.setClosedGracefully(true);
                    Thread.ofVirtual().name("cluster-close").start(() -> {
                        Util.close(() -> connection.close(false));
                        srv.removeConnectionIfPresent(to, connection);
                    });
                }
            });
        }
    }
}
