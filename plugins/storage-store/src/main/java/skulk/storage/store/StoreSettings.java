package skulk.storage.store;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.Settings;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * Where the store is and how it is reached.
 *
 * @param host name of the node or machine that hosts it
 * @param httpHost address for HTTP; the host where empty
 * @param path on the host, where this node is it
 */
record StoreSettings(String host, String httpHost, int port, Optional<Path> path) {

    /** Empty where no store is configured. @throws SkulkException USER_ERROR naming what is wrong */
    static Optional<StoreSettings> of(Settings settings, String nodeId) {
        boolean enabled = settings.flag("model_store.enabled", true, "whether the store is used");
        String host = settings.text("model_store.store_host", "", "host name, node name or node id of the store");
        String httpHost =
                settings.text("model_store.store_http_host", "", "address of the store for HTTP where it differs");
        double port = settings.number("model_store.store_port", 58080, "port of the store");
        String path = settings.text("model_store.store_path", "", "directory of the store on its host");
        String name = settings.text("node.name", "", "friendly name of this node");
        if (!enabled || host.isBlank()) {
            return Optional.empty();
        }
        if (port < 0 || port > 65_535 || port != Math.rint(port)) {
            throw new SkulkException(Problem.Kind.USER_ERROR, "model_store.store_port must be a port, not " + port);
        }
        Optional<Path> directory = Optional.empty();
        if (isHere(host, name, nodeId)) {
            if (path.isBlank()) {
                throw new SkulkException(
                        Problem.Kind.USER_ERROR,
                        "model_store.store_path is missing: this node is the store host '" + host + "'");
            }
            directory = Optional.of(expand(path));
        }
        return Optional.of(new StoreSettings(host, httpHost, (int) port, directory));
    }

    private static boolean isHere(String host, String nodeName, String nodeId) {
        String machine = hostName();
        int dot = machine.indexOf('.');
        return Stream.of(nodeName, nodeId, machine, dot < 0 ? machine : machine.substring(0, dot))
                .anyMatch(own -> own.equalsIgnoreCase(host));
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    private static Path expand(String text) {
        String full =
                text.equals("~") || text.startsWith("~/") ? System.getProperty("user.home") + text.substring(1) : text;
        return Path.of(full).toAbsolutePath().normalize();
    }
}
