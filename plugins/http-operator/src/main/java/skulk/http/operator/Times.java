package skulk.http.operator;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** Times of traces and diagnostics: ISO-8601 with {@code +00:00} (contract section 0). */
final class Times {
    private static final DateTimeFormatter ISO = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxxx");

    private Times() {}

    static String iso(Instant time) {
        return ISO.format(time.atOffset(ZoneOffset.UTC));
    }
}
