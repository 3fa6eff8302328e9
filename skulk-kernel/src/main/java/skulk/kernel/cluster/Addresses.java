package skulk.kernel.cluster;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The addresses that other nodes may reach this one at. */
final class Addresses {
    private Addresses() {}

    /** IPv4 before IPv6, the loopback address last: it serves where all nodes are on one machine. */
    static List<String> own() {
        List<String> first = new ArrayList<>();
        List<String> second = new ArrayList<>();
        try {
            for (NetworkInterface card : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                if (card.isUp() && !card.isLoopback()) {
                    for (InetAddress address : Collections.list(card.getInetAddresses())) {
                        if (!address.isLinkLocalAddress()) {
                            (address instanceof Inet4Address ? first : second)
                                    .add(address.getHostAddress().replaceAll("%.*", ""));
                        }
                    }
                }
            }
        } catch (SocketException e) {
            System.getLogger(Addresses.class.getName())
                    .log(System.Logger.Level.WARNING, "cannot list network interfaces: {0}", e.getMessage());
        }
        first.addAll(second);
        first.add("127.0.0.1");
        return first;
    }
}
