package skulk.membership.jgroups;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jgroups.JChannel;
import skulk.api.Membership;
import skulk.api.cluster.NodeProfile;

/**
 * Membership over JGroups. The eldest member of a view coordinates; every node sees the same views in the same order. A closed connection is a departure at
 * once (under a second measured with the verification pause), silence after {@link Network#silence()}.
 */
final class JGroupsMembership implements Membership {
    private static final System.Logger LOG = System.getLogger(JGroupsMembership.class.getName());
    /** Two nodes that start at once may each begin alone and merge; after that long one is told that it waits. */
    private static final long MERGE_PATIENCE_SECONDS = 12;
    /** A cluster that loads models or moves them may take its time, and whoever restarts is to come back without a hand. */
    private static final int MOST_WAITS = 5;

    private final Network network;
    private final Path directory;

    JGroupsMembership(Network network, Path directory) {
        this.network = network;
        this.directory = directory;
    }

    @Override
    public String name() {
        return "jgroups";
    }

    @Override
    public Member join(NodeProfile self, Listener listener) throws IOException {
        InetAddress address = network.listenAddress();
        Optional<String> known = secret();
        Optional<String> made =
                known.isEmpty() && !address.isLoopbackAddress() ? Optional.of(newSecret()) : Optional.empty();
        Optional<SSLContext> tls = known.or(() -> made)
                .map(secret -> ClusterSecret.context(ClusterIdentity.of(secret, network.namespace())));
        Seat seat = new Seat(self, listener, tls);
        try {
            JChannel channel = new JChannel(Stack.protocols(network, address, tls.map(ClusterSecret::tls)));
            seat.open(channel, network.namespace());
            String port = Integer.toString(seat.port().orElse(network.port()));
            LOG.log(
                    System.Logger.Level.INFO,
                    "Cluster ''{0}'' on {1}:{2} ({4}), {3}",
                    network.namespace(),
                    address.getHostAddress(),
                    port,
                    tls.isPresent() ? "encrypted" : "loopback only, not encrypted",
                    network.choice(address));
            made.ifPresent(secret -> LOG.log(
                    System.Logger.Level.INFO,
                    "Made a cluster secret. Join other machines with: SKULK_CLUSTER_SECRET={0} skulk serve --bootstrap-peers {1}:{2}",
                    secret,
                    address.getHostAddress(),
                    port));
            checkAdmitted(seat, address, known);
            return seat;
        } catch (IOException e) {
            seat.close();
            throw e;
        } catch (Exception e) {
            seat.close();
            throw new IOException(
                    "cannot join the cluster on %s:%d: %s"
                            .formatted(address.getHostAddress(), network.port(), rootMessage(e)),
                    e);
        }
    }

    /** Given, or made by an earlier run of this node. */
    private Optional<String> secret() throws IOException {
        return network.secret().isPresent() ? network.secret() : ClusterSecret.stored(directory);
    }

    private String newSecret() throws IOException {
        if (!network.peers().isEmpty()) {
            throw new IOException("joining a cluster at " + network.peers().getFirst()
                    + " needs its secret: set SKULK_CLUSTER_SECRET to the one that its first node printed");
        }
        return ClusterSecret.generate(directory);
    }

    /** A node that was told whom to join, finds somebody there and still is alone, was turned away: say so instead of serving a cluster of one. */
    private void checkAdmitted(Seat seat, InetAddress address, Optional<String> secret)
            throws IOException, InterruptedException {
        if (seat.refusal().isPresent()) {
            throw new IOException(seat.refusal().get());
        }
        if (seat.awaitCompany(0, TimeUnit.SECONDS)) {
            return;
        }
        Optional<InetSocketAddress> silent = network.peers().stream()
                .filter(peer -> !isSelf(peer, address) && answers(peer))
                .findFirst();
        if (silent.isEmpty()) {
            return;
        }
        String refused = "the node at " + silent.get() + " answers but does not admit this one: ";
        try {
            NetDoctor.encryption(silent.get(), secret, network.namespace());
        } catch (NetDoctor.Finding e) {
            throw new IOException(refused + e.getMessage(), e);
        }
        for (int wait = 1; !seat.awaitCompany(MERGE_PATIENCE_SECONDS, TimeUnit.SECONDS); wait++) {
            if (seat.refusal().isPresent()) {
                throw new IOException(seat.refusal().get());
            }
            if (wait == MOST_WAITS) {
                throw new IOException(refused
                        + "%d s of waiting; is it of another namespace or version, or stuck?"
                                .formatted(MOST_WAITS * MERGE_PATIENCE_SECONDS));
            }
            LOG.log(
                    System.Logger.Level.WARNING,
                    "The node at {0} answers but has not let this one in yet; waiting",
                    silent.get());
        }
    }

    private boolean isSelf(InetSocketAddress peer, InetAddress address) {
        return peer.getPort() == network.port() && address.equals(peer.getAddress());
    }

    private static boolean answers(InetSocketAddress peer) {
        try (Socket socket = new Socket()) {
            socket.connect(peer, 500);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static String rootMessage(Throwable e) {
        Throwable at = e;
        while (at.getCause() != null) {
            at = at.getCause();
        }
        return String.valueOf(at.getMessage());
    }
}
