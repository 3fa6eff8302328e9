package skulk.kernel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.json.JsonObject;
import skulk.kernel.CommandLine.Option;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;
import skulk.kernel.node.Build;
import skulk.kernel.node.Home;
import skulk.kernel.node.HomeLock;
import skulk.kernel.node.Installation;
import skulk.kernel.node.Names;

/** {@code skulk doctor}: looks for what would keep a node from running here, and says what to do about it. */
final class DoctorCommand {
    private static final Option HELP = Option.toggle("--help", "prints this").or("-h");
    /** Below this a node calls itself full (contract section 1, node health). */
    private static final long DISK_FULL = 2L << 30;

    private static final String MEMBERSHIP = "membership-jgroups";

    private final Map<String, String> environment;

    DoctorCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    private record Finding(String subject, Optional<String> trouble, String fact) {}

    int run(List<String> arguments) throws IOException {
        List<Option> options = new ArrayList<>(ServeOptions.options());
        options.add(HELP);
        CommandLine line = CommandLine.parse(arguments, options);
        if (line.has(HELP.name())) {
            Terminal.out()
                    .print(
                            "usage: skulk doctor [net] [options of serve]\n\nLooks for what would keep a node from running"
                                    + " here; with net, walks the steps of joining a cluster.\n");
            return 0;
        }
        if (line.operands().equals(List.of("net"))) {
            return net(ServeOptions.select(line, environment));
        }
        if (!line.operands().isEmpty()) {
            throw new UsageException("doctor knows net, not " + line.operands().getFirst());
        }
        ServeOptions.Selected selected = ServeOptions.select(line, environment);
        List<Finding> findings = List.of(
                new Finding("Java", Optional.empty(), Runtime.version().toString()),
                new Finding(
                        "configuration",
                        Optional.empty(),
                        selected.configuration().fileExists()
                                ? selected.configuration().file().toString()
                                : "defaults; " + selected.configuration().file() + " does not exist"),
                home(selected.home()),
                disk(selected.home()),
                port(selected.configuration()),
                installation());
        findings.forEach(f -> Terminal.out()
                .printf(
                        "%-4s %-14s %s%n",
                        f.trouble().isEmpty() ? "ok" : "BAD",
                        f.subject(),
                        f.trouble().orElse(f.fact())));
        return findings.stream().allMatch(f -> f.trouble().isEmpty()) ? 0 : 1;
    }

    /** The membership's own doctor, with what the node would join by. */
    private static int net(ServeOptions.Selected selected) throws IOException {
        Configuration c = selected.configuration();
        JsonObject.Builder asked = JsonObject.builder()
                .put("port", c.get(Keys.CLUSTER_PORT))
                .put("bootstrap_peers", c.get(Keys.BOOTSTRAP_PEERS))
                .put("namespace", c.get(Keys.NAMESPACE))
                .put("secret", c.get(Keys.CLUSTER_SECRET))
                .put("name", Names.of(c))
                .put("version", Build.version())
                .put("directory", selected.home().plugin(MEMBERSHIP).toString());
        asked.putAll(c.plugin(MEMBERSHIP).members()); // what the plugin's section says counts more
        return ToolCommand.run("doctor-net", List.of(asked.build().toString()));
    }

    private static Finding home(Home home) {
        try {
            home.create();
            HomeLock.take(home).close();
            return new Finding("home", Optional.empty(), home.data().toString());
        } catch (IOException e) {
            return new Finding("home", Optional.of(e.getMessage()), "");
        }
    }

    private static Finding disk(Home home) {
        try {
            long free = Files.getFileStore(home.data()).getUsableSpace();
            String text = "%.1f GiB free for models".formatted(free / (double) (1L << 30));
            return new Finding("disk", free < DISK_FULL ? Optional.of(text + "; make room") : Optional.empty(), text);
        } catch (IOException e) {
            return new Finding("disk", Optional.of("cannot be read: " + e.getMessage()), "");
        }
    }

    private static Finding port(Configuration configuration) {
        int port = configuration.get(Keys.API_PORT).intValue();
        String host = configuration.get(Keys.API_HOST);
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
            return new Finding("port", Optional.empty(), host + ":" + port + " is free");
        } catch (IOException e) {
            return new Finding(
                    "port",
                    Optional.of(host + ":" + port + ": " + e.getMessage() + "; choose another one with --api-port"),
                    "");
        }
    }

    private static Finding installation() {
        Installation installation = Installation.current();
        return installation.root().isEmpty()
                ? new Finding("installation", Optional.of("not started by bin/skulk: no plugins"), "")
                : new Finding(
                        "installation",
                        Optional.empty(),
                        installation.root().get().toString());
    }
}
