package skulk.kernel.plugin;

import java.nio.file.Path;

/** A plugin that must not be loaded: the message names the file, the rule it breaks and the remedy. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    Refusal(Path file, String rule, String remedy) {
        super(file + ": " + rule + "; " + remedy);
    }

    Refusal(Path file, String rule, String remedy, Throwable cause) {
        super(file + ": " + rule + "; " + remedy, cause);
    }
}
