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
import skulk.kernel.config.Keys;

/** {@code skulk demo}: a node of its own, the embedded model, one question through the HTTP API. */
final class DemoCommand {
    private static final String MODEL = "skulk/tiny-chat-4bit";
    private static final String QUESTION = "What is the capital of France?";
    private static final Option KEEP = Option.toggle("--keep", "leaves the node running");
    private static final Option ASK = Option.of("--ask", "QUESTION", "what to ask (default: " + QUESTION + ")");
    private static final Option HELP = Option.toggle("--help", "prints this").or("-h");

    private final Map<String, String> environment;

    DemoCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    int run(List<String> arguments) throws IOException, InterruptedException {
        List<Option> options = new ArrayList<>(ServeOptions.options());
        options.addAll(List.of(KEEP, ASK, HELP));
        CommandLine line = CommandLine.parse(arguments, options);
        if (line.has(HELP.name())) {
            Terminal.out()
                    .print("usage: skulk demo [options]\n\nStarts a node, places " + MODEL + ", asks it a question.\n\n"
                            + CommandLine.help(options));
            return 0;
        }
        Path home = Files.createTempDirectory("skulk-demo");
        try (Node node = ServeCommand.start(select(line, home))) {
            Runtime.getRuntime()
                    .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(node::close));
            String url = node.url().orElseThrow(() -> new IOException("the demo talks HTTP: leave out --no-api"));
            Terminal.out().println("A node runs at " + url);
            DemoClient client = new DemoClient(url, Terminal.out());
            client.place(MODEL);
            client.ask(MODEL, line.value(ASK.name()).orElse(QUESTION));
            Terminal.out().print(next(url, line.has(KEEP.name())));
            if (line.has(KEEP.name())) {
                node.awaitStop();
            }
            return 0;
        } finally {
            Folders.delete(home);
        }
    }

    /** The flags given, in a home of the demo's own, quiet, on the default port if it is free. */
    private ServeOptions.Selected select(CommandLine line, Path home) {
        List<String> arguments = new ArrayList<>(List.of("-q", "--home", home.toString()));
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
        String lead = keep
                ? "The node keeps running; Ctrl-C stops it. Try:"
                : "The node stops now. Run 'skulk demo --keep' and try:";
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
