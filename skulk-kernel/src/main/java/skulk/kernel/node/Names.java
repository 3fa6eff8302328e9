package skulk.kernel.node;

import java.net.InetAddress;
import java.net.UnknownHostException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;

/** What this machine and the node on it are called. For use by any thread. */
public final class Names {
    private Names() {}

    /** This machine's name, as listings and logs show it. */
    public static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    /** The node's friendly name: the configured one, else the machine's. */
    public static String of(Configuration configuration) {
        String name = configuration.get(Keys.NAME);
        return name.isEmpty() ? host() : name;
    }
}
