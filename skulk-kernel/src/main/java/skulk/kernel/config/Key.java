package skulk.kernel.config;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * One configuration key.
 *
 * @param name dotted path in {@code skulk.yaml}
 * @param fallback where nothing sets it
 * @param meaning one line for {@code config explain}
 * @param expected what a value must be, as error messages name it
 * @param reader turns a value into its type; empty where it does not fit
 * @param environment variables that set it, the first one set wins
 * @param secret never shown, returned or broadcast
 */
public record Key<T>(
        String name,
        T fallback,
        String meaning,
        String expected,
        Function<Json, Optional<T>> reader,
        List<String> environment,
        boolean secret) {

    public Key {
        environment = List.copyOf(environment);
    }

    static Key<Boolean> flag(String name, boolean fallback, String meaning) {
        return new Key<>(name, fallback, meaning, "true or false", Key::readFlag, List.of(), false);
    }

    static Key<Long> integer(String name, long fallback, long min, long max, String meaning) {
        String expected = max == Long.MAX_VALUE
                ? "a whole number from " + min
                : "a whole number from %d to %d".formatted(min, max);
        return new Key<>(
                name,
                fallback,
                meaning,
                expected,
                json -> readInteger(json).filter(n -> n >= min && n <= max),
                List.of(),
                false);
    }

    static Key<Double> number(String name, double fallback, double min, double max, String meaning) {
        String expected =
                max == Double.MAX_VALUE ? "a number from " + min : "a number from %s to %s".formatted(min, max);
        return new Key<>(
                name,
                fallback,
                meaning,
                expected,
                json -> readNumber(json).filter(n -> n >= min && n <= max),
                List.of(),
                false);
    }

    static Key<String> text(String name, String fallback, String meaning) {
        return new Key<>(name, fallback, meaning, "a text", Key::readText, List.of(), false);
    }

    static Key<String> oneOf(String name, String fallback, List<String> words, String meaning) {
        return new Key<>(
                name,
                fallback,
                meaning,
                "one of " + String.join(", ", words),
                json -> readText(json).filter(words::contains),
                List.of(),
                false);
    }

    static Key<List<String>> texts(String name, List<String> fallback, String meaning) {
        return new Key<>(name, List.copyOf(fallback), meaning, "a list of texts", Key::readTexts, List.of(), false);
    }

    static Key<JsonObject> tree(String name, String meaning) {
        return new Key<>(
                name,
                JsonObject.EMPTY,
                meaning,
                "a mapping",
                json -> json instanceof JsonObject o ? Optional.of(o) : Optional.empty(),
                List.of(),
                false);
    }

    /** This key, also set by environment variables. */
    Key<T> env(String... variables) {
        return new Key<>(name, fallback, meaning, expected, reader, List.of(variables), secret);
    }

    /** This key, hidden. */
    Key<T> hidden() {
        return new Key<>(name, fallback, meaning, expected, reader, environment, true);
    }

    private static Optional<Boolean> readFlag(Json json) {
        return switch (json) {
            case JsonBoolean(boolean value) -> Optional.of(value);
            case JsonString(String text) ->
                switch (text.toLowerCase(java.util.Locale.ROOT)) {
                    case "1", "true", "yes", "on" -> Optional.of(true);
                    case "0", "false", "no", "off", "" -> Optional.of(false);
                    default -> Optional.empty();
                };
            case JsonNumber n when n.isLong() && (n.toLong() == 0 || n.toLong() == 1) -> Optional.of(n.toLong() == 1);
            default -> Optional.empty();
        };
    }

    private static Optional<Long> readInteger(Json json) {
        try {
            return switch (json) {
                case JsonNumber n when n.isLong() -> Optional.of(n.toLong());
                case JsonString(String text) -> Optional.of(Long.parseLong(text.strip()));
                default -> Optional.empty();
            };
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static Optional<Double> readNumber(Json json) {
        try {
            return switch (json) {
                case JsonNumber n when Double.isFinite(n.toDouble()) -> Optional.of(n.toDouble());
                case JsonString(String text) ->
                    Optional.of(Double.parseDouble(text.strip())).filter(Double::isFinite);
                default -> Optional.empty();
            };
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> readText(Json json) {
        return switch (json) {
            case JsonString(String text) -> Optional.of(text);
            case JsonNumber n -> Optional.of(n.literal()); // a namespace such as 1 is a number in YAML
            default -> Optional.empty();
        };
    }

    private static Optional<List<String>> readTexts(Json json) {
        return switch (json) {
            case JsonString(String text) ->
                Optional.of(java.util.Arrays.stream(text.split(","))
                        .map(String::strip)
                        .filter(s -> !s.isEmpty())
                        .toList());
            case JsonArray array -> {
                List<String> texts = array.items().stream()
                        .flatMap(item -> readText(item).stream())
                        .toList();
                yield texts.size() == array.size() ? Optional.of(texts) : Optional.empty();
            }
            default -> Optional.empty();
        };
    }
}
