package skulk.runner.mlx.model;

import java.util.Optional;
import skulk.runner.mlx.checkpoint.Fields;

/**
 * Reads how positions are encoded from a configuration and computes the frequencies, as MLX computes them (its
 * {@code rope_utils}), so that checkpoints converted for it behave the same.
 */
final class RopeConfig {
    private static final String KNOWN = "default, linear, dynamic, llama3, yarn, longrope, su, proportional, mrope";

    private RopeConfig() {}

    /**
     * @param config the model's section of the configuration
     * @param dims how many dimensions of a head turn
     * @param base {@code rope_theta} where the configuration names none
     */
    static Rope of(Fields config, int dims, double base) {
        return of(config, scaling(config), dims, theta(config, base));
    }

    /** {@code rope_theta}, on the top level or within {@code rope_parameters}. */
    static double theta(Fields config, double absent) {
        double nested = config.object("rope_parameters")
                .flatMap(p -> p.findNumber("rope_theta"))
                .orElse(absent);
        return config.positive("rope_theta", nested);
    }

    /** {@code rope_scaling}, or {@code rope_parameters} as newer configurations have it. */
    static Optional<Fields> scaling(Fields config) {
        return config.object("rope_scaling").or(() -> config.object("rope_parameters"));
    }

    /** The kind of a scaling section. */
    static String kind(Fields scaling) {
        return scaling.text("type").or(() -> scaling.text("rope_type")).orElse("default");
    }

    /** Frequencies for one base and one scaling section. */
    static Rope of(Fields config, Optional<Fields> scaling, int dims, double base) {
        if (dims < 2 || dims % 2 != 0) {
            throw config.wrong("head_dim", "times partial_rotary_factor gives " + dims + " rotated dimensions");
        }
        boolean interleaved = config.flag("rope_traditional", false);
        if (scaling.isEmpty()) {
            return new Rope(plain(dims, base, 1), 1, interleaved);
        }
        Fields section = scaling.get();
        return switch (kind(section)) {
            // beyond max_position_embeddings "dynamic" would stretch the base; sequences end there, so it never does
            case "default", "dynamic", "mrope" -> new Rope(plain(dims, base, 1), 1, interleaved);
            case "linear" -> new Rope(plain(dims, base, section.positive("factor", 1)), 1, interleaved);
            case "llama3" -> new Rope(llama3(section, dims, base), 1, interleaved);
            case "yarn", "deepseek_yarn" -> yarn(config, section, dims, base);
            case "longrope", "su" -> longrope(config, section, dims, base);
            case "proportional" -> new Rope(proportional(section, dims, base), 1, interleaved);
            case String other -> throw section.wrong("rope_type", "is " + other + "; known are " + KNOWN);
        };
    }

    private static double[] plain(int dims, double base, double divisor) {
        double[] out = new double[dims / 2];
        for (int i = 0; i < out.length; i++) {
            out[i] = Math.pow(base, -2.0 * i / dims) / divisor;
        }
        return out;
    }

    /** Low frequencies are divided by the factor, high ones kept, those between blended (Llama 3.1). */
    private static double[] llama3(Fields s, int dims, double base) {
        double factor = s.positive("factor", 1);
        double low = s.positive("low_freq_factor", 1);
        double high = s.positive("high_freq_factor", 4);
        double context = s.positive("original_max_position_embeddings", 8192);
        double[] out = plain(dims, base, 1);
        for (int i = 0; i < out.length; i++) {
            double wavelength = 2 * Math.PI / out[i];
            if (wavelength > context / low) {
                out[i] /= factor;
            } else if (wavelength > context / high) {
                double smooth = (context / wavelength - low) / (high - low);
                out[i] *= (1 - smooth) / factor + smooth;
            }
        }
        return out;
    }

    /** YaRN (Peng et al. 2023, section 3.2) with the rounding of its range that MLX applies. */
    private static Rope yarn(Fields config, Fields s, int dims, double base) {
        double factor = s.positive("factor", 1);
        double context = s.positive("original_max_position_embeddings", 4096);
        double low = Math.max(0, Math.floor(correction(s.positive("beta_fast", 32), context, dims, base)));
        double high = Math.min(dims - 1, Math.ceil(correction(s.positive("beta_slow", 1), context, dims, base)));
        double span = low == high ? 0.001 : high - low;
        double[] out = plain(dims, base, 1);
        for (int i = 0; i < out.length; i++) {
            double interpolated = Math.clamp((i - low) / span, 0.0, 1.0);
            out[i] = out[i] / factor * interpolated + out[i] * (1 - interpolated);
        }
        double mscale = yarnScale(factor, s.number("mscale", 1)) / yarnScale(factor, s.number("mscale_all_dim", 0));
        return new Rope(out, mscale, config.flag("rope_traditional", false));
    }

    private static double correction(double rotations, double context, int dims, double base) {
        return dims * Math.log(context / (rotations * 2 * Math.PI)) / (2 * Math.log(base));
    }

    private static double yarnScale(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    /** LongRoPE with the long factors throughout, as MLX does. */
    private static Rope longrope(Fields config, Fields s, int dims, double base) {
        double[] factors = s.numbers("long_factor").orElseThrow(() -> s.wrong("long_factor", "is missing"));
        if (factors.length != 1 && factors.length != dims / 2) {
            throw s.wrong("long_factor", "has " + factors.length + " entries, expected " + dims / 2);
        }
        double original = s.findNumber("original_max_position_embeddings")
                .orElse(config.positive("original_max_position_embeddings", 4096));
        double stretch = config.positive("max_position_embeddings", 131072) / original;
        double usual = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
        double[] out = plain(dims, base, 1);
        for (int i = 0; i < out.length; i++) {
            out[i] /= factors[factors.length == 1 ? 0 : i];
        }
        return new Rope(out, s.number("long_mscale", usual), false);
    }

    /** Only a share of the pairs turns, with exponents over the whole head. */
    private static double[] proportional(Fields s, int dims, double base) {
        int turned = (int) (dims * s.number("partial_rotary_factor", 1));
        double[] out = plain(dims, base, s.positive("factor", 1));
        for (int i = turned / 2; i < out.length; i++) {
            out[i] = 0;
        }
        return out;
    }
}
