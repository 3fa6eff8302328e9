package skulk.storage.store;

import java.util.Optional;
import java.util.function.Supplier;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeInfo;

/** Where requests to the store go: the configured address, else the one that the host's node tells of itself, else the host's name. */
final class StoreAddress {
    private StoreAddress() {}

    /** Host and port as a URL has them. */
    static String of(StoreSettings settings, Supplier<ClusterView> view) {
        String host = settings.httpHost().isBlank()
                ? routable(settings, view.get()).orElse(settings.host())
                : settings.httpHost();
        return "%s:%d"
                .formatted(host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host, settings.port());
    }

    private static Optional<String> routable(StoreSettings settings, ClusterView view) {
        return view.nodes().entrySet().stream()
                .filter(entry ->
                        entry.getKey().value().equals(settings.host()) || named(entry.getValue(), settings.host()))
                .flatMap(entry -> entry.getValue().network().stream())
                .map(NodeInfo.NetworkInterface::ipAddress)
                .filter(ip -> !ip.startsWith("127.") && !ip.contains(":"))
                .findFirst();
    }

    private static boolean named(NodeInfo node, String name) {
        return node.identity()
                .filter(i -> i.friendlyName().equalsIgnoreCase(name))
                .isPresent();
    }
}
