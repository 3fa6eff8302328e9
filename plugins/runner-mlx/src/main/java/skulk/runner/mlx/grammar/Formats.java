package skulk.runner.mlx.grammar;

import java.util.Map;
import java.util.TreeMap;

/** JSON Schema's string formats (2020-12 validation, section 7.3) as expressions all of whose matches are valid; some leave rare valid spellings out. */
final class Formats {
    private static final String DATE =
            "[12]\\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))";
    private static final String CLOCK =
            "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)";
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final String LABEL = "[a-z]([a-z0-9-]{0,20}[a-z0-9])?";
    private static final String HOST = LABEL + "(\\." + LABEL + "){0,3}\\.(com|org|net|info|de|dev)";

    private static final Map<String, String> PATTERNS = Map.of(
            "date",
            DATE,
            "time",
            CLOCK,
            "date-time",
            DATE + "T" + CLOCK,
            "duration",
            "P(\\d{1,4}D|\\d{1,3}W|T\\d{1,4}[HMS])",
            "email",
            "[a-z0-9]{1,20}(\\.[a-z0-9]{1,20}){0,2}@" + HOST,
            "hostname",
            HOST,
            "ipv4",
            BYTE + "(\\." + BYTE + "){3}",
            "ipv6",
            "([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}",
            "uri",
            "https?://" + HOST + "(/[A-Za-z0-9_.~-]{1,40}){0,8}/?",
            "uuid",
            "[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");

    private Formats() {}

    static String pattern(String format, String where) {
        String pattern = PATTERNS.get(format);
        if (pattern == null) {
            throw SchemaKeywords.refuse(
                    where,
                    "format '" + format + "' is not supported; these are: "
                            + String.join(", ", new TreeMap<>(PATTERNS).keySet()));
        }
        return pattern;
    }
}
