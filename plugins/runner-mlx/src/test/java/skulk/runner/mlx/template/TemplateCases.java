package skulk.runner.mlx.template;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.json.Json;

/** Reads templates with what Jinja2 makes of them. */
final class TemplateCases {
    /** The moment at which the expected texts were made. */
    static final Clock CLOCK =
            Clock.fixed(LocalDateTime.of(2026, 7, 4, 12, 0).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);

    private TemplateCases() {}

    /**
     * One rendering.
     *
     * @param name for people
     * @param source the template
     * @param context its values
     * @param expected the text; empty where rendering fails
     * @param error Jinja's message; empty where rendering succeeds
     */
    record Case(
            String name,
            String source,
            Map<String, Object> context,
            Optional<String> expected,
            Optional<String> error) {
        @Override
        public String toString() {
            return name;
        }
    }

    static ChatTemplate compile(String source) {
        return ChatTemplate.compile(source, CLOCK, RenderLimits.DEFAULT);
    }

    /** Every snippet of the recorded differential test; all share one context. */
    static List<Case> snippets() {
        try (InputStream in = TemplateCases.class.getResourceAsStream("template-oracle.json")) {
            Map<String, Object> file = object(Json.parse(in.readAllBytes()).toJava());
            Map<String, Object> context = object(file.get("context"));
            List<Case> cases = new ArrayList<>();
            for (Object item : (List<?>) file.get("cases")) {
                Map<String, Object> entry = object(item);
                String source = (String) entry.get("source");
                cases.add(of(cases.size() + ": " + source.replace("\n", "\\n"), source, context, entry));
            }
            return cases;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Optional<Path> sharedTemplates() {
        Path folder = Path.of(System.getProperty("skulk.shared", "../../shared"), "templates");
        return Files.isDirectory(folder) ? Optional.of(folder) : Optional.empty();
    }

    /** The conversations of every published template in the folder. */
    static List<Case> published(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Case> cases = new ArrayList<>();
            for (Path file : files.filter(path -> path.toString().endsWith(".json"))
                    .sorted()
                    .toList()) {
                Map<String, Object> golden =
                        object(Json.parse(Files.readAllBytes(file)).toJava());
                String template = (String) golden.get("template");
                String source = Files.readString(folder.resolve(template));
                for (Object item : (List<?>) golden.get("cases")) {
                    Map<String, Object> entry = object(item);
                    cases.add(of(template + " " + entry.get("case"), source, object(entry.get("context")), entry));
                }
            }
            return cases;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Case of(String name, String source, Map<String, Object> context, Map<String, Object> entry) {
        return new Case(
                name, source, context, Optional.ofNullable((String) entry.get("expected")), Optional.ofNullable((String)
                        entry.get("error")));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object json) {
        return (Map<String, Object>) json;
    }
}
