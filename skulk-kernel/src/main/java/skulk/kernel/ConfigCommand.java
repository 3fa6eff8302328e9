package skulk.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import skulk.kernel.CommandLine.Option;
import skulk.kernel.CommandLine.UsageException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Explanation;
import skulk.kernel.node.Installation;
import skulk.kernel.plugin.PluginKeys;

/** {@code skulk config explain}: every key, its value, where it comes from and what it means. */
final class ConfigCommand {
    private static final Option HELP = Option.toggle("--help", "prints this").or("-h");
    private static final Option MARKDOWN =
            Option.toggle("--markdown", "prints the reference of docs/configuration.md: keys, defaults and meanings");

    private final Map<String, String> environment;

    ConfigCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    int run(List<String> arguments) {
        List<Option> options = new ArrayList<>(ServeOptions.options());
        options.addAll(List.of(MARKDOWN, HELP));
        CommandLine line = CommandLine.parse(arguments, options);
        if (line.has(HELP.name())) {
            Terminal.out()
                    .print("usage: skulk config explain [options of serve]\n\n"
                            + CommandLine.help(List.of(MARKDOWN, HELP)));
            return 0;
        }
        if (!line.operands().equals(List.of("explain"))) {
            throw new UsageException("config has one command: explain");
        }
        ServeOptions.Selected selected = ServeOptions.select(line, environment);
        Configuration configuration = selected.configuration();
        Explanation explanation =
                Explanation.of(configuration, PluginKeys.of(Installation.current(), configuration, selected.home()));
        Terminal.out().print(line.has(MARKDOWN.name()) ? explanation.markdown() : explanation.text());
        return 0;
    }
}
