package skulk.runner.mlx.schedule;

import java.util.List;
import skulk.runner.mlx.model.Decoder;

/**
 * A step under way.
 *
 * @param begun {@link System#nanoTime()} of its begin
 */
record Flight(List<Share> shares, Decoder.Pending pending, long begun) {
    Flight {
        shares = List.copyOf(shares);
    }
}
