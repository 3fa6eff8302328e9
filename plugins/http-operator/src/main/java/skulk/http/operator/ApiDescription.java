package skulk.http.operator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/**
 * The OpenAPI 3.1 document, generated from {@code api-routes.txt} (one line per route of every built-in feature) and {@code api-schemas.json}.
 *
 * <p>A line is {@code METHOD path SCOPE tag [?query[*|[]]]… [body=Schema] -> Result[,Result]… [!status]… | Summary}. A result is a schema's name,
 * {@code any}, a media type, or {@code media/type=Schema} for a stream of such items, which {@code x-item-schema} then tells: OpenAPI 3.1 has no word for
 * it. Refusals for want of a key, and of inference for its limits, are added. {@code {name+}} matches across slashes; OpenAPI has no word for that, so its description says it.
 */
record ApiDescription(List<Line> lines, JsonObject schemas) {
    private static final Pattern PARAMETER = Pattern.compile("\\{([^}+]+)(\\+?)}");
    private static final Pattern CHOICE = Pattern.compile("\\(([^)]+)\\)(.*)");
    private static final Map<String, String> MEANINGS = Map.ofEntries(
            Map.entry("400", "The request cannot be served as asked"),
            Map.entry("401", "No API key that is known here"),
            Map.entry("403", "Not readable or not allowed"),
            Map.entry("404", "No such thing"),
            Map.entry("409", "The state does not allow it now"),
            Map.entry("413", "The body is larger than this node takes"),
            Map.entry("422", "The body or query has the wrong shape"),
            Map.entry("429", "Too much at once or within a minute; Retry-After says when to try again"),
            Map.entry("500", "Broken, or lost under way"),
            Map.entry("503", "Not ready: try again shortly"));
    private static final Set<String> DIALECTS = Set.of("openai", "claude", "ollama");

    /** @param errors status codes beside 200 */
    record Line(
            String method,
            String path,
            String scope,
            String tag,
            List<String> query,
            String body,
            String result,
            List<String> errors,
            String summary) {

        /** @throws IllegalArgumentException where a line does not follow the form */
        static Line parse(String text) {
            String[] halves = text.split("\\|", 2);
            String[] sides = halves[0].split("->", 2);
            String[] left = sides[0].trim().split("\\s+");
            String[] right = sides.length == 2 ? sides[1].trim().split("\\s+") : new String[0];
            if (halves.length != 2 || left.length < 4 || right.length == 0) {
                throw new IllegalArgumentException("not a route line: " + text);
            }
            List<String> query = new ArrayList<>();
            String body = "";
            for (String word : List.of(left).subList(4, left.length)) {
                if (word.startsWith("?")) {
                    query.add(word.substring(1));
                } else {
                    body = word.replaceFirst("^body=", "");
                }
            }
            List<String> errors = new ArrayList<>();
            for (String word : List.of(right).subList(1, right.length)) {
                errors.add(word.replaceFirst("^!", ""));
            }
            return new Line(left[0], left[1], left[2], left[3], query, body, right[0], errors, halves[1].trim());
        }
    }

    static ApiDescription builtIn() {
        List<Line> lines = Resources.text("api-routes.txt")
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .flatMap(ApiDescription::expanded)
                .map(Line::parse)
                .toList();
        return new ApiDescription(lines, (JsonObject) Json.parse(Resources.text("api-schemas.json")));
    }

    /** One line for each method of {@code GET,HEAD} and each path of {@code (/a|/b)/c}. */
    private static Stream<String> expanded(String line) {
        String[] words = line.split(" ", 3);
        Matcher choice = CHOICE.matcher(words[1]);
        List<String> paths = choice.matches()
                ? Stream.of(choice.group(1).split("\\|"))
                        .map(start -> start + choice.group(2))
                        .toList()
                : List.of(words[1]);
        return Stream.of(words[0].split(","))
                .flatMap(method -> paths.stream().map(path -> method + " " + path + " " + words[2]));
    }

    JsonObject document() {
        SequencedMap<String, JsonObject.Builder> paths = new LinkedHashMap<>();
        for (Line line : lines) {
            paths.computeIfAbsent(openPath(line.path()), p -> JsonObject.builder())
                    .put(line.method().toLowerCase(java.util.Locale.ROOT), operation(line));
        }
        JsonObject.Builder all = JsonObject.builder();
        paths.forEach((path, operations) -> all.put(path, operations.build()));
        return JsonObject.builder()
                .put("openapi", "3.1.0")
                .put(
                        "info",
                        JsonObject.builder()
                                .put("title", "Skulk")
                                .put("version", "1")
                                .put("description", "The same API on every node of the cluster.")
                                .build())
                .put("servers", List.of(JsonObject.of("url", "/")))
                .put("paths", all.build())
                .put(
                        "components",
                        JsonObject.builder()
                                .put("schemas", schemas)
                                .put("securitySchemes", JsonObject.of("key", bearer()))
                                .build())
                .build();
    }

    private static JsonObject bearer() {
        return JsonObject.builder()
                .put("type", "http")
                .put("scheme", "bearer")
                .put("description", "An API key. A node that listens on loopback only asks for none.")
                .build();
    }

    private static String openPath(String path) {
        return path.replace("+}", "}");
    }

    private JsonObject operation(Line line) {
        JsonObject.Builder operation = JsonObject.builder()
                .put("summary", line.summary())
                .put("operationId", operationId(line))
                .put("tags", List.of(line.tag()))
                .put("x-scope", line.scope().toLowerCase(java.util.Locale.ROOT))
                .put("security", line.scope().equals("OPEN") ? List.of() : List.of(JsonObject.of("key", List.of())))
                .put("parameters", parameters(line));
        if (!line.body().isEmpty()) {
            boolean required = !line.body().endsWith("?");
            operation.put(
                    "requestBody",
                    JsonObject.builder()
                            .put("required", required)
                            .put("content", content(line.body().replace("?", "")))
                            .build());
        }
        return operation.put("responses", responses(line)).build();
    }

    private static String operationId(Line line) {
        String words = line.path().replaceAll("[^A-Za-z0-9]+", "_").replaceAll("^_|_$", "");
        return line.method().toLowerCase(java.util.Locale.ROOT) + "_" + (words.isEmpty() ? "root" : words);
    }

    private static List<Json> parameters(Line line) {
        List<Json> found = new ArrayList<>();
        Matcher inPath = PARAMETER.matcher(line.path());
        while (inPath.find()) {
            JsonObject parameter = parameter(inPath.group(1), "path", true, JsonObject.of("type", "string"));
            found.add(inPath.group(2).isEmpty() ? parameter : parameter.with("description", "May contain slashes."));
        }
        for (String name : line.query()) {
            JsonObject text = JsonObject.of("type", "string");
            boolean list = name.endsWith("[]");
            JsonObject schema = list
                    ? JsonObject.builder()
                            .put("type", "array")
                            .put("items", text)
                            .build()
                    : text;
            found.add(parameter(name.replaceAll("[*\\[\\]]", ""), "query", name.endsWith("*"), schema));
        }
        return found;
    }

    private static JsonObject parameter(String name, String in, boolean required, JsonObject schema) {
        return JsonObject.builder()
                .put("name", name)
                .put("in", in)
                .put("required", required)
                .put("schema", schema)
                .build();
    }

    private JsonObject responses(Line line) {
        JsonObject.Builder all = JsonObject.builder();
        all.put(
                "200",
                JsonObject.builder()
                        .put("description", "Done")
                        .put("content", content(line.result()))
                        .build());
        for (String status : refusals(line)) {
            all.put(
                    status,
                    JsonObject.builder()
                            .put("description", MEANINGS.getOrDefault(status, "An error"))
                            .put("content", content(error(line, status)))
                            .build());
        }
        return all.build();
    }

    /** What the line has and what any route of its kind may answer, in order. */
    private static Set<String> refusals(Line line) {
        Set<String> all = new TreeSet<>(line.errors());
        if (!line.scope().equals("OPEN")) {
            all.addAll(List.of("401", "403"));
        }
        if (!line.body().isEmpty()) {
            all.add("413");
        }
        if (DIALECTS.contains(line.tag()) && line.method().equals("POST")) {
            all.add("429");
        }
        return all;
    }

    /** Every dialect has a form of its own, the validation of bodies beside it. */
    private static String error(Line line, String status) {
        boolean stock = line.tag().equals("ollama") && line.path().startsWith("/api/");
        return status.equals("422")
                ? "ValidationError"
                : line.tag().equals("claude") ? "ClaudeError" : stock ? "OllamaError" : "Error";
    }

    /** Schemas' names, {@code any}, media types, and media types of streams with their items. */
    private JsonObject content(String results) {
        JsonObject.Builder all = JsonObject.builder();
        for (String result : results.split(",")) {
            String[] halves = result.split("=", 2);
            if (!halves[0].contains("/")) {
                all.put("application/json", JsonObject.of("schema", schema(result)));
            } else {
                JsonObject text = JsonObject.of("schema", JsonObject.of("type", "string"));
                all.put(halves[0], halves.length == 1 ? text : text.with("x-item-schema", schema(halves[1])));
            }
        }
        return all.build();
    }

    private JsonObject schema(String name) {
        if (name.equals("any")) {
            return JsonObject.EMPTY;
        }
        if (!schemas.has(name)) {
            throw new IllegalArgumentException(
                    "api-routes.txt names the schema '" + name + "', which api-schemas.json lacks");
        }
        return JsonObject.of("$ref", "#/components/schemas/" + name);
    }
}
