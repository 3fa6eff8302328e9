package skulk.api.cluster;

import java.util.Comparator;
import java.util.List;

/**
 * How fast an engine is on a machine, with as many threads as a rank there computes with: what forecasts are made of. Measured by the engine itself, see
 * {@link skulk.api.RunnerFactory#measure}.
 *
 * @param formats speeds by the format of weights, at least one
 * @param layerSeconds what a layer costs per token in decoding beside products and attention: norms, positions, handing out work
 * @param attentionRate multiply-adds per second of queries with the keys and of weights with the values of earlier tokens
 */
public record EngineSpeed(List<Format> formats, double layerSeconds, double attentionRate) {
    public EngineSpeed {
        formats = List.copyOf(formats);
        if (formats.isEmpty()) {
            throw new IllegalArgumentException("the speed of an engine needs a format at least");
        }
    }

    /**
     * Products of one format.
     *
     * @param bits of a weight
     * @param dense for models that use every weight for every token; engines may compute those less exactly than mixtures of experts
     * @param decodeRate multiply-adds per second with one row and weights that no cache holds, as in decoding
     * @param promptRate multiply-adds per second with many rows, as in reading a prompt
     */
    public record Format(int bits, boolean dense, double decodeRate, double promptRate) {}

    /** The format that is nearest to a model's, by kind first. */
    public Format nearest(int bits, boolean dense) {
        return formats.stream()
                .min(Comparator.comparing((Format f) -> f.dense() != dense)
                        .thenComparingInt(f -> Math.abs(f.bits() - bits)))
                .orElseThrow();
    }
}
