package skulk.kernel.log;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.logging.FileHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;

/**
 * Sets logging up: people read stderr (and a rotated file), machines read JSON lines on stdout when {@code logging.enabled} and {@code logging.ingest_url} are
 * set. Called once, first thing in a process.
 */
@SuppressWarnings("checkstyle:RegexpSinglelineJava") // the handlers' own streams
public final class Logs {
    private static final long FILE_BYTES = 100L * 1000 * 1000;
    private static final int FILES = 5;

    private Logs() {}

    /**
     * @param host this machine's name, for the JSON lines
     * @param directory of the log file; none is written where empty
     */
    public static void set(Configuration configuration, String host, Optional<Path> directory) {
        LogManager.getLogManager().reset();
        Logger root = Logger.getLogger("");
        Level level = level(configuration.get(Keys.LOG_LEVEL));
        root.setLevel(level);
        Formatter human = new HumanFormatter();
        root.addHandler(flushing(System.err, human));
        if (configuration.get(Keys.LOGGING)
                && !configuration.get(Keys.LOGGING_URL).isEmpty()) {
            root.addHandler(flushing(System.out, new JsonFormatter(host)));
        }
        directory.ifPresent(d -> file(root, d, human));
        if (level.intValue() > Level.FINER.intValue()) {
            Logger.getLogger("io.helidon").setLevel(Level.WARNING);
        }
    }

    private static void file(Logger root, Path directory, Formatter formatter) {
        try {
            Files.createDirectories(directory);
            String pattern = directory.toString().replace("%", "%%") + "/skulk.%g.log";
            FileHandler handler = new FileHandler(pattern, FILE_BYTES, FILES, true);
            handler.setFormatter(formatter);
            handler.setEncoding(StandardCharsets.UTF_8.name());
            handler.setLevel(Level.ALL);
            root.addHandler(handler);
        } catch (IOException e) {
            root.log(Level.WARNING, "No log file in " + directory + ": " + e.getMessage());
        }
    }

    private static Handler flushing(PrintStream stream, Formatter formatter) {
        StreamHandler handler = new StreamHandler(unclosed(stream), formatter) {
            @Override
            public synchronized void publish(LogRecord line) {
                super.publish(line);
                flush();
            }
        };
        handler.setLevel(Level.ALL);
        return handler;
    }

    /** A handler closes its stream at shutdown; the standard ones must live longer. */
    private static OutputStream unclosed(PrintStream stream) {
        return new OutputStream() {
            @Override
            public void write(int b) {
                stream.write(b);
            }

            @Override
            public void write(byte[] bytes, int from, int length) {
                stream.write(bytes, from, length);
            }

            @Override
            public void flush() {
                stream.flush();
            }
        };
    }

    private static Level level(String word) {
        return switch (word) {
            case "error" -> Level.SEVERE;
            case "warning" -> Level.WARNING;
            case "debug" -> Level.FINE;
            case "trace" -> Level.FINER;
            default -> Level.INFO;
        };
    }
}
