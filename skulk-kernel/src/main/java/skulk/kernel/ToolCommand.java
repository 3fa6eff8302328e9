package skulk.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import skulk.kernel.node.Installation;
import skulk.kernel.plugin.PluginTools;

/** Commands that a plugin brings, run in this process; the launcher starts it with the vector module for them. */
final class ToolCommand {
    private ToolCommand() {}

    static int run(String name, List<String> arguments) throws IOException {
        Path plugins = Installation.current()
                .plugins()
                .orElseThrow(() -> new IOException("'" + name + "' needs the distribution: start it with bin/skulk"));
        ToolProvider tool = PluginTools.find(plugins, name)
                .orElseThrow(() -> new IOException("no plugin in " + plugins + " brings the command '" + name + "'"));
        return tool.run(Terminal.out(), Terminal.err(), arguments.toArray(String[]::new));
    }
}
