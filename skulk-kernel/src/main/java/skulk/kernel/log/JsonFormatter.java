package skulk.kernel.log;

import java.util.logging.Formatter;
import java.util.logging.LogRecord;
import skulk.api.json.JsonObject;

/** One JSON object per line, keys as contract section 13.1 has them. */
final class JsonFormatter extends Formatter {
    private final String host;

    JsonFormatter(String host) {
        this.host = host;
    }

    @Override
    public String format(LogRecord line) {
        String logger = String.valueOf(line.getLoggerName());
        String[] parts = logger.split("\\.");
        JsonObject.Builder object = JsonObject.builder()
                .put("ts", line.getInstant().toString())
                .put("level", HumanFormatter.word(line.getLevel()))
                .put("node_id", host)
                .put("component", parts.length > 2 ? parts[2] : parts[0])
                .put("module", logger)
                .put("function", String.valueOf(line.getSourceMethodName()))
                .put("line", 0) // java.util.logging does not know it
                .put("msg", formatMessage(line));
        if (line.getThrown() != null) {
            object.put("exception", HumanFormatter.trace(line.getThrown()));
        }
        return object.build() + "\n";
    }
}
