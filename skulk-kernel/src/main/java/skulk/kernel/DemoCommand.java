package skulk.kernel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import skulk.kernel.CommandLine.Option;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.config.Keys;

/**
 * {@code skulk demo}: nodes of its own on this machine, the embedded model split over them, one question through the HTTP API; on request one of the nodes is
 * killed in the middle of the answer.
 */
final class DemoCommand {
    private static final String MODEL = "skulk/tiny-chat-4bit";
    private static final String QUESTION = "What is the capital of France?";
    private static final String STORY = "Tell me a story about a brave little robot.";
    private static final Option NODES =
            Option.of("--nodes", "N", "how many nodes to start and split the model over (2)");
    private static final Option KILL =
            Option.toggle("--kill", "kills one of the nodes in the middle of the answer and shows how it goes on");
    private static final Option KEEP = Option.toggle("--keep", "leaves the nodes running");
    private static final Option ASK = Option.of("--ask", "QUESTION", "what to ask (default: " + QUESTION + ")");
    private static final Option HELP = Option.toggle("--help", "prints this").or("-h");

    private final Map<String, String> environment;

    DemoCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    int run(List<String> arguments) throws IOException, InterruptedException {
        List<Option> options = new ArrayList<>(ServeOptions.options());
        options.addAll(List.of(NODES, KILL, KEEP, ASK, HELP));
        CommandLine line = CommandLine.parse(arguments, options);
        if (line.has(HELP.name())) {
            Terminal.out()
                    .print("usage: skulk demo [options]\n\nStarts nodes, places " + MODEL
                            + " over them, asks it a question.\n\n" + CommandLine.help(options));
            return 0;
        }
        int count = nodes(line);
        Path home = Files.createTempDirectory("skulk-demo");
        int port = freePort();
        List<String> cluster = count == 1
                ? List.of()
                : List.of("--cluster-port", Integer.toString(port), "--set", "cluster.namespace=" + home.getFileName());
        List<String> joining = count == 1
                ? List.of()
                : List.of("--bootstrap-peers", "127.0.0.1:" + port, "--set", "cluster.namespace=" + home.getFileName());
        try (DemoNodes others = new DemoNodes(home, joining);
                Node node = ServeCommand.start(select(line, home.resolve(DemoNodes.name(1)), cluster))) {
            for (Runnable end : List.<Runnable>of(others::close, node::close)) {
                Runtime.getRuntime()
                        .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(end));
            }
            for (int number = 2; number <= count; number++) {
                others.start(number);
            }
            String url = node.url().orElseThrow(() -> new IOException("the demo talks HTTP: leave out --no-api"));
            show(new DemoClient(url, Terminal.out()), line, count, others);
            Terminal.out().print(next(url, line.has(KEEP.name())));
            if (line.has(KEEP.name())) {
                node.awaitStop();
            }
            return 0;
        } finally {
            Folders.delete(home);
        }
    }

    private static void show(DemoClient client, CommandLine line, int count, DemoNodes others)
            throws IOException, InterruptedException {
        client.awaitNodes(count);
        client.place(MODEL, count);
        if (!line.has(KILL.name())) {
            client.ask(MODEL, line.value(ASK.name()).orElse(QUESTION), () -> {});
            return;
        }
        client.ask(MODEL, line.value(ASK.name()).orElse(STORY), () -> {
            try {
                Terminal.out().printf("%n[killed node %s, process %d] ", DemoNodes.name(count), others.kill());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        client.recovered(MODEL);
    }

    private static int nodes(CommandLine line) {
        String text = line.value(NODES.name()).orElse("2");
        if (!text.matches("[1-9][0-9]?")) {
            throw new UsageException("--nodes must be a number from 1 to 99, not " + text);
        }
        int count = Integer.parseInt(text);
        if (count == 1 && line.has(KILL.name())) {
            throw new UsageException("--kill needs a node to be left: --nodes 2 or more");
        }
        return count;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** The flags given, in a home of the demo's own, quiet, on the default port if it is free. */
    private ServeOptions.Selected select(CommandLine line, Path home, List<String> cluster) {
        List<String> arguments = new ArrayList<>(List.of("-q", "--home", home.toString(), "--name", DemoNodes.name(1)));
        arguments.addAll(cluster);
        arguments.addAll(DemoNodes.NO_MEASURING);
        if (!line.has("--api-port") && !isFree(Keys.API_PORT.fallback().intValue())) {
            arguments.addAll(List.of("--api-port", "0"));
        }
        CommandLine defaults = CommandLine.parse(arguments, ServeOptions.options());
        Map<String, List<String>> merged = new java.util.LinkedHashMap<>(defaults.options());
        merged.putAll(line.options());
        return ServeOptions.select(new CommandLine(merged, List.of()), environment);
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    private static String next(String url, boolean keep) {
        String lead =
                keep ? "It keeps running; Ctrl-C stops it. Try:" : "It stops now. Run 'skulk demo --keep' and try:";
        return """

                %1$s

                  curl %2$s/v1/chat/completions -H 'Content-Type: application/json' \\
                    -d '{"model":"%3$s","messages":[{"role":"user","content":"Hello!"}],"stream":true}'

                  curl %2$s/state        what the cluster is doing
                  %2$s/            the dashboard

                A model of your own: put its folder into ~/.local/share/skulk/models/ORG--NAME, run 'skulk serve', then

                  curl -X POST %2$s/place_instance -H 'Content-Type: application/json' -d '{"model_id":"ORG/NAME"}'

                """.formatted(lead, url, MODEL);
    }
}
