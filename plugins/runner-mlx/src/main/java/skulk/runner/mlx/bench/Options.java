package skulk.runner.mlx.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Options of the command line: {@code --name value} or a flag; unknown ones are an error. */
record Options(Map<String, String> values) {
    private static final Set<String> FLAGS = Set.of("json", "pin", "serving", "engine");
    private static final Set<String> NAMES = Set.of(
            "synthetic",
            "model",
            "url",
            "key",
            "threads",
            "bits",
            "group",
            "kernels",
            "prompt",
            "generate",
            "batch",
            "repeat",
            "rest",
            "concurrency",
            "requests",
            "soak",
            "intruder",
            "cancel-rate",
            "cancel-within",
            "ranks",
            "sharding",
            "layers");

    static Options parse(List<String> words) {
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < words.size(); i++) {
            String name = words.get(i).startsWith("--") ? words.get(i).substring(2) : "";
            if (FLAGS.contains(name)) {
                values.put(name, "true");
            } else if (!NAMES.contains(name)) {
                throw new IllegalArgumentException("'" + words.get(i) + "' is not an option");
            } else if (++i == words.size()) {
                throw new IllegalArgumentException("--" + name + " needs a value");
            } else {
                values.put(name, words.get(i));
            }
        }
        return new Options(values);
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(values.get(name));
    }

    int number(String name, int fallback) {
        return text(name).map(v -> positive(name, v)).orElse(fallback);
    }

    /** A number over 0, given. */
    double amount(String name) {
        return real(name, text(name).orElseThrow(), Double.MAX_VALUE);
    }

    /** A number from 0 to 1. */
    double share(String name, double fallback) {
        return text(name).map(v -> v.equals("0") ? 0 : real(name, v, 1)).orElse(fallback);
    }

    private static double real(String name, String value, double most) {
        try {
            double number = Double.parseDouble(value);
            if (number > 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--" + name + ": '" + value + "' is not a number", e);
        }
        throw new IllegalArgumentException("--" + name + ": '" + value + "' is out of range");
    }

    List<Integer> numbers(String name, String fallback) {
        return Arrays.stream(text(name).orElse(fallback).split(","))
                .map(v -> positive(name, v.strip()))
                .toList();
    }

    private static int positive(String name, String value) {
        try {
            int number = Integer.parseInt(value);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--" + name + ": '" + value + "' is not a whole number", e);
        }
        throw new IllegalArgumentException("--" + name + " must be at least 1, not " + value);
    }
}
