package skulk.runner.mlx.shard;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.model.LoadOptions.Shard;

/** Even splits of a model, for tools; in a cluster placement decides. */
public final class Splits {
    private static final Pattern LAYER = Pattern.compile("\\.layers\\.(\\d+)\\.");

    private Splits() {}

    /** A share of every tensor for each rank. */
    public static List<Shard> tensor(int ranks) {
        return IntStream.range(0, ranks)
                .mapToObj(rank -> Shard.tensors(rank, ranks))
                .toList();
    }

    /** Consecutive layers for each rank. @throws IllegalArgumentException where there are fewer layers than ranks */
    public static List<Shard> pipeline(Path folder, int ranks) {
        int layers = layers(folder);
        if (layers < ranks) {
            throw new IllegalArgumentException(
                    "a model of " + layers + " layers cannot be split over " + ranks + " ranks by layers");
        }
        return IntStream.range(0, ranks)
                .mapToObj(rank -> Shard.layers(rank * layers / ranks, (rank + 1) * layers / ranks))
                .toList();
    }

    /** So many consecutive layers for each rank, the last one taking those up to the end. */
    public static List<Shard> pipeline(List<Integer> layers, int ranks) {
        if (layers.size() != ranks) {
            throw new IllegalArgumentException("--layers names %d ranks, there are %d".formatted(layers.size(), ranks));
        }
        return IntStream.range(0, ranks)
                .mapToObj(rank -> {
                    int first =
                            layers.subList(0, rank).stream().mapToInt(i -> i).sum();
                    return Shard.layers(first, rank == ranks - 1 ? Integer.MAX_VALUE : first + layers.get(rank));
                })
                .toList();
    }

    private static int layers(Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return checkpoint.names().stream()
                    .map(Splits::layer)
                    .flatMap(Optional::stream)
                    .mapToInt(layer -> layer + 1)
                    .max()
                    .orElse(0);
        }
    }

    private static Optional<Integer> layer(String tensor) {
        Matcher matcher = LAYER.matcher(tensor);
        return matcher.find() ? Optional.of(Integer.parseInt(matcher.group(1))) : Optional.empty();
    }
}
