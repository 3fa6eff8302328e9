package skulk.distribution;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import skulk.api.fake.Commands;

/**
 * Machines on one network, as far as their processes can tell: a network namespace each, joined by a bridge that this process reaches as well. Made and removed by
 * whoever runs as root; links can be cut, and made to lose everything in one direction.
 */
final class Namespaces implements AutoCloseable {
    private static final String NOBODY = "02:00:00:00:00:99";

    private final String prefix;
    private final int net;
    private final int count;

    private Namespaces(String prefix, int net, int count) {
        this.prefix = prefix;
        this.net = net;
        this.count = count;
    }

    /** So many machines, or the test is skipped. */
    static Namespaces make(int count) throws IOException {
        Assumptions.assumeTrue(available(), "needs root and the program ip, to make network namespaces");
        int net = (int) (ProcessHandle.current().pid() % 200 + 20);
        Namespaces made = new Namespaces("sk" + ProcessHandle.current().pid() % 100_000, net, count);
        try {
            made.make();
        } catch (IOException e) {
            made.close();
            throw e;
        }
        return made;
    }

    /** Whether this process may make network namespaces. */
    static boolean available() {
        String trial = "sktrial" + ProcessHandle.current().pid();
        boolean may = Commands.succeeds("ip", "netns", "add", trial);
        if (may) {
            Commands.succeeds("ip", "netns", "del", trial);
        }
        return may;
    }

    private void make() throws IOException {
        run("ip", "link", "add", prefix + "br", "type", "bridge");
        run("ip", "addr", "add", host() + "/24", "dev", prefix + "br");
        run("ip", "link", "set", prefix + "br", "up");
        for (int machine = 0; machine < count; machine++) {
            String name = name(machine);
            run("ip", "netns", "add", name);
            run("ip", "link", "add", cable(machine), "type", "veth", "peer", "name", "eth0", "netns", name);
            run("ip", "link", "set", cable(machine), "master", prefix + "br", "up");
            run("ip", "-n", name, "addr", "add", address(machine) + "/24", "dev", "eth0");
            run("ip", "-n", name, "link", "set", "eth0", "up");
            run("ip", "-n", name, "link", "set", "lo", "up");
        }
    }

    private String name(int machine) {
        return prefix + "n" + machine;
    }

    private String cable(int machine) {
        return prefix + "v" + machine;
    }

    String address(int machine) {
        return "10.231." + net + "." + (10 + machine);
    }

    /** What a command line begins with to run on a machine. */
    List<String> on(int machine) {
        return List.of("ip", "netns", "exec", name(machine));
    }

    /** Gives a machine one more card that leads nowhere, before its real one in the order of names. */
    void addCard(int machine, String card, String address) throws IOException {
        run("ip", "-n", name(machine), "link", "add", card, "type", "veth", "peer", "name", card + "x");
        run("ip", "-n", name(machine), "addr", "add", address + "/24", "dev", card);
        run("ip", "-n", name(machine), "link", "set", card, "up");
    }

    /** The address of this process on the machines' network. */
    String host() {
        return "10.231." + net + ".1";
    }

    /** Whom a machine's processes ask for names from now on. */
    void resolver(int machine, String server) throws IOException {
        Files.writeString(
                Files.createDirectories(resolvers(machine)).resolve("resolv.conf"), "nameserver " + server + "\n");
    }

    /** Where {@code ip netns exec} looks for what a machine sees in the place of /etc. */
    private Path resolvers(int machine) {
        return Path.of("/etc/netns", name(machine));
    }

    /** Pulls the cable between a machine and the switch. */
    void cut(int machine) throws IOException {
        run("ip", "link", "set", cable(machine), "down");
    }

    void heal(int machine) throws IOException {
        run("ip", "link", "set", cable(machine), "up");
    }

    /** What one machine sends to another is lost from now on, without anybody being told; the other direction works. */
    void lose(int from, int to) throws IOException {
        run(
                "ip",
                "-n",
                name(from),
                "neigh",
                "replace",
                address(to),
                "lladdr",
                NOBODY,
                "dev",
                "eth0",
                "nud",
                "permanent");
    }

    void find(int from, int to) throws IOException {
        run("ip", "-n", name(from), "neigh", "del", address(to), "dev", "eth0");
    }

    @Override
    public void close() {
        for (int machine = 0; machine < count; machine++) {
            Commands.succeeds("ip", "netns", "del", name(machine));
            Commands.succeeds("ip", "link", "del", cable(machine));
            Commands.succeeds("rm", "-rf", resolvers(machine).toString());
        }
        Commands.succeeds("ip", "link", "del", prefix + "br");
    }

    private static void run(String... command) throws IOException {
        if (!Commands.succeeds(command)) {
            throw new IOException("failed: " + String.join(" ", command));
        }
    }

    /** The environment of nodes that may meet beyond loopback. */
    static Map<String, String> secret() {
        return Map.of("SKULK_CLUSTER_SECRET", "of the test");
    }
}
