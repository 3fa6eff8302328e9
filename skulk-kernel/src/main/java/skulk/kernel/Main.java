package skulk.kernel;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.config.ConfigurationException;
import skulk.kernel.config.Nearest;
import skulk.kernel.node.Build;

/** The program's entry: finds the command, runs it, turns what went wrong into one line and an exit code. */
public final class Main {
    /** Exit code of arguments or a configuration that make no sense. */
    private static final int USAGE = 2;

    private Main() {}

    /** Runs a command with its arguments and answers the exit code. */
    @FunctionalInterface
    interface Command {
        int run(List<String> arguments) throws IOException, InterruptedException;
    }

    public static void main(String[] arguments) throws InterruptedException {
        int code = run(Arrays.asList(arguments), System.getenv());
        System.exit(code);
    }

    private static int run(List<String> arguments, Map<String, String> environment) throws InterruptedException {
        Map<String, Command> commands = commands(environment);
        try {
            String first = arguments.isEmpty() ? "serve" : arguments.getFirst();
            if (first.equals("--help") || first.equals("-h") || first.equals("help")) {
                Terminal.out().print(Help.TEXT);
                return 0;
            }
            if (first.equals("--version")) {
                return commands.get("version").run(List.of());
            }
            boolean implied = first.startsWith("-"); // flags alone mean serve
            Command command = commands.get(implied ? "serve" : first);
            if (command == null) {
                throw new UsageException("unknown command " + first + Nearest.hint(first, commands.keySet()));
            }
            return command.run(implied || arguments.isEmpty() ? arguments : arguments.subList(1, arguments.size()));
        } catch (UsageException | ConfigurationException e) {
            Terminal.err().println("skulk: " + e.getMessage());
            return USAGE;
        } catch (IOException e) {
            Terminal.err().println("skulk: " + e.getMessage());
            return 1;
        }
    }

    private static Map<String, Command> commands(Map<String, String> environment) {
        Map<String, Command> commands = new TreeMap<>();
        commands.put("serve", arguments -> new ServeCommand(environment).run(arguments));
        commands.put("demo", arguments -> new DemoCommand(environment).run(arguments));
        commands.put("config", arguments -> new ConfigCommand(environment).run(arguments));
        commands.put("doctor", arguments -> new DoctorCommand(environment).run(arguments));
        commands.put("warm", arguments -> new WarmCommand(environment).run());
        commands.put("version", arguments -> version());
        commands.put("models", arguments -> new ModelsCommand(environment).run(arguments));
        commands.put("bundle", arguments -> new BundleCommand(environment).run(arguments));
        commands.put("model", arguments -> ToolCommand.run("model", arguments));
        commands.put("bench", arguments -> ToolCommand.run("bench", arguments));
        return commands;
    }

    private static int version() {
        Terminal.out()
                .println("skulk %s (commit %s, Java %s)".formatted(Build.version(), Build.commit(), Runtime.version()));
        return 0;
    }
}
