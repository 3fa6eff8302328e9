package skulk.runner.mlx.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * Typed, checked access to the fields of a configuration object. Absent and null are the same; a value of the wrong
 * type or range is refused, naming the field.
 *
 * @param where file and path, for messages
 * @param json the object
 */
public record Fields(String where, JsonObject json) {

    /** A size of at least {@code min}. */
    public int count(String name, int min) {
        return findCount(name, min).orElseThrow(() -> wrong(name, "is missing"));
    }

    /** A size of at least {@code min}, or the default where absent. */
    public int count(String name, int min, int absent) {
        return findCount(name, min).orElse(absent);
    }

    /** A size of at least {@code min}, if present. */
    public Optional<Integer> findCount(String name, int min) {
        return read(() -> json.integer(name)).map(value -> {
            if (value < min || value > Integer.MAX_VALUE) {
                throw wrong(name, "is " + value + ", out of range");
            }
            return value.intValue();
        });
    }

    /** A finite number, if present. */
    public Optional<Double> findNumber(String name) {
        return read(() -> json.number(name)).map(value -> {
            if (!Double.isFinite(value)) {
                throw wrong(name, "is not finite");
            }
            return value;
        });
    }

    public double number(String name, double absent) {
        return findNumber(name).orElse(absent);
    }

    public double number(String name) {
        return findNumber(name).orElseThrow(() -> wrong(name, "is missing"));
    }

    /** A number above zero. */
    public double positive(String name, double absent) {
        double value = number(name, absent);
        if (value <= 0) {
            throw wrong(name, "is " + value + ", not above 0");
        }
        return value;
    }

    public boolean flag(String name, boolean absent) {
        return read(() -> json.bool(name)).orElse(absent);
    }

    public Optional<String> text(String name) {
        return read(() -> json.string(name));
    }

    /** A nested object, if present. */
    public Optional<Fields> object(String name) {
        return read(() -> json.object(name)).map(o -> new Fields(where + "." + name, o));
    }

    /** A list of strings, if present. */
    public Optional<List<String>> texts(String name) {
        return read(() -> json.array(name)).map(array -> {
            List<String> out = new ArrayList<>();
            for (Json item : array.items()) {
                if (!(item instanceof JsonString(String text))) {
                    throw wrong(name, "holds " + item + ", not a string");
                }
                out.add(text);
            }
            return out;
        });
    }

    /** A list of numbers; a single number counts as a list of one. */
    public Optional<double[]> numbers(String name) {
        return json.find(name).map(value -> switch (value) {
            case JsonNumber number -> new double[] {number.toDouble()};
            case skulk.api.json.JsonArray array ->
                array.items().stream()
                        .mapToDouble(item -> {
                            if (!(item instanceof JsonNumber number)) {
                                throw wrong(name, "holds " + item + ", not a number");
                            }
                            return number.toDouble();
                        })
                        .toArray();
            default -> throw wrong(name, "is a " + value.kind() + ", not a list of numbers");
        });
    }

    /** An error about a field. */
    public CheckpointException wrong(String name, String what) {
        return new CheckpointException(where + ": " + name + " " + what);
    }

    private <T> Optional<T> read(java.util.function.Supplier<Optional<T>> getter) {
        try {
            return getter.get();
        } catch (JsonException e) {
            throw new CheckpointException(where + ": " + e.getMessage(), e);
        }
    }
}
