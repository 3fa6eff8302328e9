package skulk.runner.mlx.checkpoint;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonObject;

/**
 * How a checkpoint's matrices are quantised: {@code quantization} (or {@code quantization_config}) of its config, with
 * overrides by the path of a layer.
 */
public final class Quantization {
    /** What affine values may be. */
    private static final Set<Integer> BITS = Set.of(2, 3, 4, 5, 6, 8);

    private static final Set<Integer> GROUPS = Set.of(32, 64, 128);
    /** The methods whose width and group are fixed. */
    private static final List<Format> SMALL_FLOATS =
            List.of(new Format(4, 32, "mxfp4"), new Format(4, 16, "nvfp4"), new Format(8, 32, "mxfp8"));

    private static final List<String> KNOWN = Stream.concat(
                    Stream.of(Format.AFFINE), SMALL_FLOATS.stream().map(Format::mode))
            .toList();
    private static final Set<String> OWN = Set.of("group_size", "bits", "mode", "quant_method");

    private final Optional<Format> all;
    private final Map<String, Optional<Format>> overrides;

    private Quantization(Optional<Format> all, Map<String, Optional<Format>> overrides) {
        this.all = all;
        this.overrides = overrides;
    }

    /**
     * @param config the top level of {@code config.json}
     * @throws CheckpointException for a method, group or width that is not known
     */
    public static Quantization of(Fields config) {
        Optional<Fields> fields = config.object("quantization")
                .or(() -> config.object("quantization_config"))
                .or(() -> config.object("text_config").flatMap(t -> t.object("quantization_config")));
        if (fields.isEmpty()) {
            return new Quantization(Optional.empty(), Map.of());
        }
        Fields section = fields.get();
        Format format = format(section);
        Map<String, Optional<Format>> overrides = new HashMap<>();
        section.json().members().forEach((path, value) -> {
            if (!OWN.contains(path)) {
                override(section, path, value, format).ifPresent(o -> overrides.put(path, o));
            }
        });
        return new Quantization(Optional.of(format), overrides);
    }

    private static Optional<Optional<Format>> override(Fields section, String path, Json value, Format all) {
        return switch (value) {
            case JsonBoolean(boolean quantised) -> Optional.of(quantised ? Optional.of(all) : Optional.empty());
            case JsonObject object ->
                // an override says all that differs from MLX's defaults, not from the format around it
                Optional.of(Optional.of(format(new Fields(section.where() + "." + path, object))));
            default -> Optional.empty();
        };
    }

    private static Format format(Fields fields) {
        String method = fields.text("quant_method").orElse(Format.AFFINE);
        String mode = fields.text("mode").orElse(method);
        if (!KNOWN.contains(mode)) {
            throw fields.wrong("mode", "is " + mode + "; known are " + String.join(", ", KNOWN));
        }
        if (!KNOWN.contains(method)) {
            throw fields.wrong("quant_method", "is " + method + "; known are " + String.join(", ", KNOWN));
        }
        Optional<Format> fixed =
                SMALL_FLOATS.stream().filter(f -> f.mode.equals(mode)).findFirst();
        Set<Integer> widths = fixed.map(f -> Set.of(f.bits)).orElse(BITS);
        Set<Integer> groups = fixed.map(f -> Set.of(f.group)).orElse(GROUPS);
        int bits = fields.count("bits", 1, fixed.map(Format::bits).orElse(4));
        int group = fields.count("group_size", 1, fixed.map(Format::group).orElse(64));
        if (!widths.contains(bits)) {
            throw fields.wrong("bits", "is " + bits + " (" + mode + "); known are " + listed(widths));
        }
        if (!groups.contains(group)) {
            throw fields.wrong("group_size", "is " + group + " (" + mode + "); known are " + listed(groups));
        }
        return new Format(bits, group, mode);
    }

    private static String listed(Set<Integer> values) {
        return values.stream().sorted().map(String::valueOf).collect(Collectors.joining(", "));
    }

    /** The format of the matrix at {@code path} (its name without {@code .weight}), empty if the config leaves it plain. */
    public Optional<Format> at(String path) {
        return overrides.getOrDefault(path, all);
    }

    /**
     * A way to quantise.
     *
     * @param bits width of a value
     * @param group values along a row that share a scale
     * @param mode {@code affine} (value × scale + bias), {@code mxfp4} or {@code mxfp8} (floats of 4 or 8 bits with a power of two as scale), or {@code nvfp4} (4-bit floats
     *     with an 8-bit float as scale)
     */
    public record Format(int bits, int group, String mode) {
        private static final String AFFINE = "affine";

        public boolean affine() {
            return mode.equals(AFFINE);
        }
    }
}
