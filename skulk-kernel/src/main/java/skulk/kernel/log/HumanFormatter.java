package skulk.kernel.log;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/** One line per record for people: time, level, the class in short, the message; a stack trace below it. */
final class HumanFormatter extends Formatter {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS", Locale.ROOT).withZone(ZoneId.systemDefault());

    @Override
    public String format(LogRecord line) {
        String logger = String.valueOf(line.getLoggerName());
        String text = "%s %-5s %s: %s%n"
                .formatted(
                        TIME.format(line.getInstant()),
                        word(line.getLevel()),
                        logger.substring(logger.lastIndexOf('.') + 1),
                        formatMessage(line));
        return line.getThrown() == null ? text : text + trace(line.getThrown());
    }

    /** The level as the contract's logs have it. */
    static String word(Level level) {
        if (level.intValue() >= Level.SEVERE.intValue()) {
            return "ERROR";
        }
        if (level.intValue() >= Level.WARNING.intValue()) {
            return "WARN";
        }
        if (level.intValue() >= Level.INFO.intValue()) {
            return "INFO";
        }
        return level.intValue() >= Level.FINE.intValue() ? "DEBUG" : "TRACE";
    }

    static String trace(Throwable thrown) {
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }
}
