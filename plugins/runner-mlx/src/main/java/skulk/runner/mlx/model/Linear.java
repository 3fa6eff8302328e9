package skulk.runner.mlx.model;

import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.kernel.TileMatrix;

/**
 * A linear layer, or several over the same input stacked: their outputs follow one another.
 *
 * @param parts matrices with the same number of columns
 * @param bias one value per output
 * @param partial holds a share of the columns, so that outputs are summed over the ranks
 */
public record Linear(List<TileMatrix> parts, Optional<float[]> bias, boolean partial) {
    public Linear {
        parts = List.copyOf(parts);
    }

    public int outputs() {
        return parts.stream().mapToInt(TileMatrix::rows).sum();
    }

    public int inputs() {
        return parts.getFirst().cols();
    }
}
