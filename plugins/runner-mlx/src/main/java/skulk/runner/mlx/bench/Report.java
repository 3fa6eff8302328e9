package skulk.runner.mlx.bench;

import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** A result as lines of {@code name: value} for people; rows of a list on a line each. */
final class Report {
    private Report() {}

    static String text(JsonObject result) {
        StringBuilder out = new StringBuilder();
        result.members().forEach((name, value) -> {
            if (value instanceof JsonArray rows) {
                out.append(name).append(":\n");
                rows.items().forEach(row -> out.append("  ").append(line(row)).append('\n'));
            } else {
                out.append(name).append(": ").append(line(value)).append('\n');
            }
        });
        return out.toString().stripTrailing();
    }

    private static String line(Json value) {
        return value.toString().replaceAll("[{}\"]", "").replace(",", ", ").replace(":", " ");
    }
}
