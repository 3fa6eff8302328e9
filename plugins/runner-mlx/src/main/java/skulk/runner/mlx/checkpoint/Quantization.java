package skulk.runner.mlx.checkpoint;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.api.json.Json;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonObject;

/**
 * How a checkpoint's matrices are quantised: {@code quantization} (or {@code quantization_config}) of its config, with
 * overrides by the path of a layer.
 */
public final class Quantization {
    private static final List<String> KNOWN = List.of("affine", "mxfp4");
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
        String method = fields.text("quant_method").orElse("affine");
        String mode = fields.text("mode").orElse(method);
        if (!KNOWN.contains(mode)) {
            throw fields.wrong("mode", "is " + mode + "; known are " + String.join(", ", KNOWN));
        }
        if (!KNOWN.contains(method)) {
            throw fields.wrong("quant_method", "is " + method + "; known are " + String.join(", ", KNOWN));
        }
        boolean mxfp4 = mode.equals("mxfp4");
        int bits = fields.count("bits", 1, 4);
        int group = fields.count("group_size", 1, mxfp4 ? 32 : 64);
        if (mxfp4 ? bits != 4 : !Set.of(2, 3, 4, 5, 6, 8).contains(bits)) {
            throw fields.wrong(
                    "bits", "is " + bits + " (" + mode + "); known are " + (mxfp4 ? "4" : "2, 3, 4, 5, 6, 8"));
        }
        if (mxfp4 ? group != 32 : !Set.of(32, 64, 128).contains(group)) {
            throw fields.wrong(
                    "group_size", "is " + group + " (" + mode + "); known are " + (mxfp4 ? "32" : "32, 64, 128"));
        }
        return new Format(bits, group, mode);
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
     * @param mode {@code affine} (value × scale + bias) or {@code mxfp4} (4-bit floats with a power-of-two scale)
     */
    public record Format(int bits, int group, String mode) {}
}
