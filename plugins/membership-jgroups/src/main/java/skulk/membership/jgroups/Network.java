package skulk.membership.jgroups;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import skulk.api.Settings;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * How the cluster is reached.
 *
 * @param bind address to listen on, empty = chosen: loopback where every peer is on loopback or there is none, else the first site address
 * @param port to listen on; 0 = any free one
 * @param peers to join through
 * @param multicast whether to look for peers on the local network too
 * @param dns a name whose addresses are peers, or empty
 * @param namespace nodes of another namespace are another cluster
 * @param secret what authenticates members and encrypts their traffic, empty = none given
 * @param silence how long a member may be silent before it counts as gone
 */
record Network(
        Optional<String> bind,
        int port,
        List<InetSocketAddress> peers,
        boolean multicast,
        Optional<String> dns,
        String namespace,
        Optional<String> secret,
        Duration silence) {

    static final int DEFAULT_PORT = 52416;

    static Network of(Settings settings) {
        return new Network(
                nonEmpty(
                        settings.text("bind", "", "address to listen on for other nodes; empty = chosen by the peers")),
                (int) settings.number(
                        "port",
                        settings.number("cluster.port", DEFAULT_PORT, "port for other nodes"),
                        "port for other nodes; 0 = any free one; else cluster.port"),
                peers(settings.value("bootstrap_peers", "host:port of nodes to join through; else those of the cluster")
                        .or(() -> settings.value("cluster.bootstrap_peers", "host:port of nodes to join through"))),
                settings.flag("multicast", false, "look for nodes on the local network"),
                nonEmpty(settings.text("dns", "", "name whose addresses are nodes to join through")),
                settings.text(
                        "namespace",
                        settings.text("cluster.namespace", "v0.0.1", "nodes of another namespace are another cluster"),
                        "nodes of another namespace are another cluster; else cluster.namespace"),
                nonEmpty(settings.text(
                        "secret",
                        settings.text("cluster.secret", "", "shared by the cluster's nodes"),
                        "cluster secret; else cluster.secret; generated on first use where one is needed")),
                Duration.ofMillis((long)
                        (1000 * settings.number("silence_seconds", 4.5, "silence after which a node counts as gone"))));
    }

    /** The effective settings under their names, as {@code skulk doctor net} hands them on. */
    static Network of(JsonObject settings) {
        return new Network(
                nonEmpty(settings.string("bind").orElse("")),
                settings.integer("port").orElse((long) DEFAULT_PORT).intValue(),
                peers(settings.find("bootstrap_peers")),
                settings.bool("multicast").orElse(false),
                nonEmpty(settings.string("dns").orElse("")),
                settings.string("namespace").orElse("v0.0.1"),
                nonEmpty(settings.string("secret").orElse("")),
                Duration.ofMillis(4500));
    }

    /** The same for a seat beside the node's own. */
    Network onAnyPort() {
        return new Network(bind, 0, peers, multicast, dns, namespace, secret, silence);
    }

    /** Why {@link #listenAddress()} is what it is. */
    String choice(InetAddress address) {
        if (bind.isPresent()) {
            return "named by bind";
        }
        if (!address.isLoopbackAddress()) {
            return "the first card with a site address; plugins.membership-jgroups.bind names another";
        }
        return looksForPeers() && !local()
                ? "no card has a site address; plugins.membership-jgroups.bind names one"
                : "all peers are on this machine; plugins.membership-jgroups.bind names an address for others";
    }

    private boolean local() {
        return !multicast
                && dns.isEmpty()
                && peers.stream()
                        .allMatch(p -> !p.isUnresolved() && p.getAddress().isLoopbackAddress());
    }

    private static Optional<String> nonEmpty(String text) {
        return Optional.of(text.strip()).filter(t -> !t.isEmpty());
    }

    private static List<InetSocketAddress> peers(Optional<Json> value) {
        List<InetSocketAddress> peers = new ArrayList<>();
        switch (value.orElse(Json.NULL)) {
            case JsonString(String text) -> {
                for (String part : text.split(",")) {
                    nonEmpty(part).map(Network::peer).ifPresent(peers::add);
                }
            }
            case JsonArray array -> {
                for (Json item : array) {
                    peers.add(item instanceof JsonString(String text) ? peer(text) : badPeer(item.toString()));
                }
            }
            default -> {}
        }
        return peers;
    }

    /** Parses {@code host:port}, {@code [v6]:port} or a host alone. */
    static InetSocketAddress peer(String text) {
        String host = text.strip();
        int port = DEFAULT_PORT;
        int colon = host.lastIndexOf(':');
        if (colon >= 0 && (host.indexOf(':') == colon || host.charAt(colon - 1) == ']')) {
            try {
                port = Integer.parseInt(host.substring(colon + 1));
            } catch (NumberFormatException e) {
                return badPeer(text);
            }
            host = host.substring(0, colon);
        }
        host = host.replace("[", "").replace("]", "");
        return host.isEmpty() || port < 1 || port > 65535 ? badPeer(text) : new InetSocketAddress(host, port);
    }

    private static InetSocketAddress badPeer(String text) {
        throw new SkulkException(Problem.Kind.USER_ERROR, "bootstrap_peers: '" + text + "' is not host:port");
    }

    /** Whether there is anybody to wait for at the start. */
    boolean looksForPeers() {
        return multicast || dns.isPresent() || !peers.isEmpty();
    }

    /** The address to listen on. */
    InetAddress listenAddress() throws UnknownHostException, SocketException {
        if (bind.isPresent()) {
            return InetAddress.getByName(bind.get());
        }
        return local() ? InetAddress.getLoopbackAddress() : siteAddress();
    }

    private static InetAddress siteAddress() throws SocketException {
        for (NetworkInterface nic : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            if (nic.isUp() && !nic.isLoopback() && !nic.isPointToPoint()) {
                for (InetAddress address : Collections.list(nic.getInetAddresses())) {
                    if (address.isSiteLocalAddress()) {
                        return address;
                    }
                }
            }
        }
        return InetAddress.getLoopbackAddress();
    }
}
