package skulk.distribution;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tables of {@code docs/api.md}, and whether a live node does what they say. */
final class FieldTables {
    private static final Path TABLES = Path.of("../docs/api.md");
    private static final Pattern NAME = Pattern.compile("`([A-Za-z_.]+)`");

    /**
     * One kind of object that clients send.
     *
     * @param heading what the table's heading begins with
     * @param around an accepted body with {@code %s} where further fields go, behind a comma
     * @param given the fields that the body has already
     * @param samples values that ask for something, one for each other field
     */
    record Sent(String heading, String route, String around, Set<String> given, Map<String, String> samples) {
        /** @param lines a field, a space and its value each */
        static Sent of(String heading, String route, String around, Set<String> given, String lines) {
            Map<String, String> samples = new HashMap<>();
            lines.lines().map(line -> line.split(" ", 2)).forEach(words -> samples.put(words[0], words[1]));
            return new Sent(heading, route, around, given, samples);
        }
    }

    private FieldTables() {}

    /** What is wrong with these fields: no row, no sample, or a node that does something else than the row says. */
    static List<String> wrong(ServingNode node, Sent sent, Set<String> fields) throws Exception {
        List<String> wrong = new ArrayList<>();
        Map<String, String> rows = rows(sent.heading());
        for (String field : fields) {
            boolean nested = rows.keySet().stream().anyMatch(name -> name.startsWith(field + "."));
            String sample = sent.samples().get(field);
            if (!rows.containsKey(field) && !nested) {
                wrong.add(sent.route() + ": no row for '" + field + "'");
            } else if (sample != null) {
                String body =
                        sent.around().formatted(",\"" + field + "\":" + sample).replace("{,", "{");
                judge(sent.route(), field, rows.getOrDefault(field, "nested"), node.post(sent.route(), body))
                        .ifPresent(wrong::add);
            } else if (!sent.given().contains(field)) {
                wrong.add(sent.route() + ": no sample for '" + field + "'");
            }
        }
        return wrong;
    }

    private static Optional<String> judge(String route, String field, String word, HttpResponse<String> answer) {
        boolean named = answer.body().contains(field);
        boolean fits =
                switch (word) {
                    case "honoured", "accepted" -> answer.statusCode() == 200;
                    case "refused" -> answer.statusCode() == 400 && named;
                    default -> answer.statusCode() == 200 || (answer.statusCode() == 400 && named);
                };
        return fits
                ? Optional.empty()
                : Optional.of(
                        "%s: '%s' is %s, but %d %s".formatted(route, field, word, answer.statusCode(), answer.body()));
    }

    /** The word of each field in the tables of a section; a nested field's under its whole name. */
    private static Map<String, String> rows(String heading) throws IOException {
        Map<String, String> rows = new HashMap<>();
        boolean here = false;
        for (String line : Files.readAllLines(TABLES)) {
            if (line.startsWith("##")) {
                here = line.startsWith(heading);
            } else if (here && line.startsWith("| `")) {
                String[] cells = line.split("\\|");
                Matcher names = NAME.matcher(cells[1]);
                while (names.find()) {
                    rows.put(names.group(1), cells[2].strip());
                }
            }
        }
        return rows;
    }
}
