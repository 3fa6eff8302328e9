package skulk.membership.jgroups;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jgroups.JChannel;
import org.jgroups.util.TLS;
import skulk.api.Membership;
import skulk.api.cluster.NodeProfile;

/**
 * Membership over JGroups. The eldest member of a view coordinates; every node sees the same views in the same order. A closed connection is a departure at
 * once (under a second measured with the verification pause), silence after {@link Network#silence()}.
 */
final class JGroupsMembership implements Membership {
    private static final System.Logger LOG = System.getLogger(JGroupsMembership.class.getName());
    /** Two nodes that start at once may each begin alone and merge; a peer that has not merged by then has refused us. */
    private static final long MERGE_PATIENCE_SECONDS = 8;

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
        Optional<TLS> tls = tls(address);
        Seat seat = new Seat(self, listener);
        try {
            JChannel channel = new JChannel(Stack.protocols(network, address, tls));
            seat.open(channel, network.namespace());
            LOG.log(
                    System.Logger.Level.INFO,
                    "Cluster ''{0}'' on {1}:{2}, {3}",
                    network.namespace(),
                    address.getHostAddress(),
                    Integer.toString(network.port()),
                    tls.isPresent() ? "encrypted" : "loopback only, not encrypted");
            checkAdmitted(seat, address);
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

    private Optional<TLS> tls(InetAddress address) throws IOException {
        Optional<String> secret = network.secret().or(() -> stored());
        if (secret.isEmpty() && !address.isLoopbackAddress()) {
            if (!network.peers().isEmpty()) {
                throw new IOException("joining a cluster at " + network.peers().getFirst()
                        + " needs its secret: set plugins.membership-jgroups.secret to the one its first node printed");
            }
            secret = Optional.of(ClusterSecret.generate(directory));
            LOG.log(
                    System.Logger.Level.INFO,
                    "Made a cluster secret. Join other machines with: SKULK_CLUSTER_SECRET={0} skulk serve --bootstrap-peers {1}:{2}",
                    secret.get(),
                    address.getHostAddress(),
                    Integer.toString(network.port()));
        }
        return secret.isEmpty()
                ? Optional.empty()
                : Optional.of(ClusterSecret.tls(ClusterIdentity.of(secret.get(), network.namespace())));
    }

    private Optional<String> stored() {
        try {
            return ClusterSecret.stored(directory);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A node that was told whom to join, finds somebody there and still is alone, was turned away: say so instead of serving a cluster of one. */
    private void checkAdmitted(Seat seat, InetAddress address) throws IOException, InterruptedException {
        seat.refusal().ifPresent(reason -> {
            throw new java.io.UncheckedIOException(new IOException(reason));
        });
        if (seat.awaitCompany(0, TimeUnit.SECONDS)) {
            return;
        }
        Optional<InetSocketAddress> silent = network.peers().stream()
                .filter(peer -> !isSelf(peer, address) && answers(peer))
                .findFirst();
        if (silent.isPresent() && !seat.awaitCompany(MERGE_PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException("the node at " + silent.get()
                    + " answers but does not admit this one: it has another cluster secret, namespace or version");
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
