package skulk.membership.jgroups;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.NoRouteToHostException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/**
 * {@code skulk doctor net}: walks the steps of joining in their order, says of each whether it works, and stops at the first that does not, with the reason and a
 * remedy. Its last step joins for a moment, under the node's own name, and leaves. Argument: a JSON object of the settings, the name, the version and the
 * plugin's directory.
 */
public final class NetDoctor implements ToolProvider {
    private static final int REACH_MILLIS = 2000;

    @Override
    public String name() {
        return "doctor-net";
    }

    @Override
    public int run(PrintWriter out, PrintWriter err, String... arguments) {
        JsonObject asked = (JsonObject) Json.parse(arguments[0]);
        Network network = Network.of(asked);
        Path directory = Path.of(asked.string("directory").orElseThrow());
        JGroupsLog quiet = new JGroupsLog();
        try {
            InetAddress address = network.listenAddress();
            ok(out, "cards", cards());
            ok(out, "address", address.getHostAddress() + ": " + network.choice(address));
            ok(out, "port", port(network, address));
            if (!network.looksForPeers()) {
                out.println("     no peers are named, nothing to join: --bootstrap-peers HOST:PORT names them");
                return 0;
            }
            Optional<String> secret = network.secret().isPresent() ? network.secret() : ClusterSecret.stored(directory);
            List<InetSocketAddress> reached = reach(out, network.peers());
            if (!network.peers().isEmpty()) {
                ok(out, "encryption", encryption(reached.getFirst(), secret, network.namespace()));
            }
            ok(out, "join", join(network, directory, asked));
            return 0;
        } catch (Finding e) {
            out.printf("%-4s %-11s %s%n", "BAD", e.step, e.getMessage());
            return 1;
        } catch (IOException e) {
            out.printf("%-4s %-11s %s%n", "BAD", "join", e.getMessage());
            return 1;
        } finally {
            quiet.close();
            out.flush();
        }
    }

    private static void ok(PrintWriter out, String step, String fact) {
        out.printf("%-4s %-11s %s%n", "ok", step, fact);
        out.flush();
    }

    /** A step that does not work. */
    static final class Finding extends IOException {
        private static final long serialVersionUID = 1L;

        private final String step;

        Finding(String step, String why) {
            super(why);
            this.step = step;
        }
    }

    private static String cards() throws SocketException {
        List<String> all = new ArrayList<>();
        for (NetworkInterface card : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            String addresses = Collections.list(card.getInetAddresses()).stream()
                    .filter(a -> !a.isLinkLocalAddress())
                    .map(InetAddress::getHostAddress)
                    .map(text -> text.replaceAll("%.*", ""))
                    .collect(Collectors.joining(", "));
            all.add(card.getName() + (card.isUp() ? "" : " (down)") + (addresses.isEmpty() ? "" : " " + addresses));
        }
        return String.join("; ", all);
    }

    private static String port(Network network, InetAddress address) throws Finding {
        if (network.port() == 0) {
            return "any free one";
        }
        try (ServerSocket socket = new ServerSocket(network.port(), 1, address)) {
            return socket.getLocalPort() + " is free";
        } catch (IOException e) {
            throw new Finding(
                    "port",
                    "%s:%d: %s; end what uses it, such as a node that runs here, or choose another with --cluster-port"
                            .formatted(address.getHostAddress(), network.port(), e.getMessage()));
        }
    }

    /** The peers that can be reached; one is enough. */
    private static List<InetSocketAddress> reach(PrintWriter out, List<InetSocketAddress> peers) throws Finding {
        List<InetSocketAddress> reached = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        for (InetSocketAddress peer : peers) {
            String name = peer.getHostString() + ":" + peer.getPort();
            if (peer.isUnresolved()) {
                refused.add(name + ": the name is unknown; check it, or give the address");
                continue;
            }
            try (Socket socket = new Socket()) {
                socket.connect(peer, REACH_MILLIS);
                reached.add(peer);
                ok(
                        out,
                        "reach",
                        name + " answers, from " + socket.getLocalAddress().getHostAddress());
            } catch (SocketTimeoutException e) {
                refused.add(name
                        + ": no answer within 2 s; the machine is off, or a firewall drops what is sent to the port");
            } catch (NoRouteToHostException e) {
                refused.add(name + ": no way to the machine; it is off, or in another network");
            } catch (ConnectException e) {
                refused.add(name + ": the machine is there, but nothing listens; start its node with --cluster-port "
                        + peer.getPort() + ", and not on loopback alone");
            } catch (IOException e) {
                refused.add(name + ": " + e.getMessage());
            }
        }
        if (reached.isEmpty() && !peers.isEmpty()) {
            throw new Finding("reach", String.join("; ", refused));
        }
        refused.forEach(why -> out.printf("%-4s %-11s %s%n", "warn", "reach", why));
        return reached;
    }

    /** The identity is made of secret and namespace: where either differs the handshake fails. */
    static String encryption(InetSocketAddress peer, Optional<String> secret, String namespace) throws IOException {
        SSLContext tls = ClusterSecret.context(ClusterIdentity.of(secret.orElse("none"), namespace));
        try (Socket plain = new Socket()) {
            plain.connect(peer, REACH_MILLIS);
            plain.setSoTimeout(REACH_MILLIS);
            SSLSocket socket =
                    (SSLSocket) tls.getSocketFactory().createSocket(plain, peer.getHostString(), peer.getPort(), true);
            socket.startHandshake();
            socket.getInputStream().read(); // TLS 1.3 tells of a refused certificate with the first reading
            return "the peer has the same secret and namespace";
        } catch (SocketTimeoutException e) {
            return "the peer has the same secret and namespace"; // it waits for what a member would say now
        } catch (SSLHandshakeException e) {
            if (!e.getMessage().contains("certif") && !e.getMessage().contains("PKIX")) {
                return plain(secret);
            }
            throw new Finding(
                    "encryption",
                    secret.isEmpty()
                            ? "the peer is encrypted and this node has no secret: set SKULK_CLUSTER_SECRET to the one that the"
                                    + " first node printed"
                            : "the peer has another secret, or another namespace than '" + namespace + "'");
        } catch (IOException e) {
            return plain(secret); // no TLS at all comes back
        }
    }

    private static String plain(Optional<String> secret) throws Finding {
        if (secret.isPresent()) {
            throw new Finding(
                    "encryption",
                    "this node has a secret and the peer has none: give it the same one, or take this one away");
        }
        return "none: the peer speaks without, as on loopback";
    }

    private static String join(Network network, Path directory, JsonObject asked) throws IOException {
        NodeProfile trial = new NodeProfile(
                new NodeId("doctor-" + ProcessHandle.current().pid()),
                asked.string("name").orElseThrow(),
                asked.string("version").orElseThrow(),
                List.of(),
                0,
                false);
        CompletableFuture<MembershipView> company = new CompletableFuture<>();
        Membership.Listener listener = new Membership.Listener() {
            @Override
            public void viewChanged(MembershipView view) {
                if (view.members().size() > 1) {
                    company.complete(view);
                }
            }

            @Override
            public void message(NodeId from, byte[] bytes) {}
        };
        Membership.Member seat = new JGroupsMembership(network.onAnyPort(), directory).join(trial, listener);
        try {
            MembershipView view = company.get(5, TimeUnit.SECONDS);
            return "admitted beside "
                    + view.members().stream()
                            .filter(m -> !m.id().equals(trial.id()))
                            .map(m -> m.friendlyName() + " (" + m.version() + ")")
                            .collect(Collectors.joining(", "));
        } catch (TimeoutException e) {
            throw new Finding("join", "nobody was found to join");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Finding("join", "interrupted");
        } catch (java.util.concurrent.ExecutionException e) {
            throw new Finding("join", String.valueOf(e.getCause()));
        } finally {
            seat.close();
        }
    }
}
