package skulk.kernel;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.kernel.CommandLine.Option;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.log.Logs;
import skulk.kernel.node.Build;
import skulk.kernel.node.Home;
import skulk.kernel.node.Installation;
import skulk.kernel.node.Names;

/** {@code skulk serve}: a node until it is told to stop. */
final class ServeCommand {
    private static final Option HELP = Option.toggle("--help", "prints this").or("-h");

    private final Map<String, String> environment;

    ServeCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    int run(List<String> arguments) throws IOException, InterruptedException {
        List<Option> options = new ArrayList<>(ServeOptions.options());
        options.add(HELP);
        CommandLine line = CommandLine.parse(arguments, options);
        if (line.has(HELP.name())) {
            Terminal.out().print("usage: skulk serve [options]\n\nRuns a node.\n\n" + CommandLine.help(options));
            return 0;
        }
        if (!line.operands().isEmpty()) {
            throw new UsageException("serve takes no " + line.operands().getFirst());
        }
        Node node = start(ServeOptions.select(line, environment));
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(node::close));
        Terminal.err()
                .println(node.url()
                        .map(url -> "Skulk " + Build.version() + " is ready at " + url)
                        .orElse("Skulk " + Build.version() + " is ready, without an HTTP API"));
        node.awaitStop();
        return 0;
    }

    static Node start(ServeOptions.Selected selected) throws IOException {
        Home home = selected.home();
        home.create();
        Logs.set(selected.configuration(), Names.host(), Optional.of(home.logs()));
        return Node.start(new Node.Setup(selected.configuration(), home, Installation.current(), Wiring::services));
    }
}
