package skulk.runner.mlx.runner;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Options of a command line, {@code --name value}; every one must be asked for or it is an error. */
record Arguments(Map<String, String> values) {

    static Arguments parse(List<String> words) {
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < words.size(); i += 2) {
            String name = words.get(i);
            if (!name.startsWith("--")) {
                throw new IllegalArgumentException("'" + name + "' is not an option");
            }
            if (i + 1 == words.size()) {
                throw new IllegalArgumentException(name + " needs a value");
            }
            values.put(name.substring(2), words.get(i + 1));
        }
        return new Arguments(values);
    }

    void allow(Set<String> names) {
        for (String name : values.keySet()) {
            if (!names.contains(name)) {
                throw new IllegalArgumentException("no option --" + name);
            }
        }
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(values.get(name));
    }

    String required(String name) {
        return text(name).orElseThrow(() -> new IllegalArgumentException("--" + name + " is needed"));
    }

    int number(String name, int fallback, int least) {
        if (text(name).isEmpty()) {
            return fallback;
        }
        int value = integer(name, text(name).get());
        if (value < least) {
            throw new IllegalArgumentException("--" + name + " must be at least " + least + ", not " + value);
        }
        return value;
    }

    /** Comma-separated numbers. */
    int[] numbers(String name) {
        String[] parts = required(name).split(",");
        int[] numbers = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            numbers[i] = integer(name, parts[i].strip());
        }
        return numbers;
    }

    private static int integer(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--" + name + ": '" + value + "' is not a whole number");
        }
    }
}
