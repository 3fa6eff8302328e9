package skulk.runner.mlx.shard;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.model.LoadOptions.Shard;

/** Fair splits of a model, for tools; in a cluster placement decides. */
public final class Splits {
    private static final Pattern LAYER = Pattern.compile("\\.layers\\.(\\d+)\\.");

    private Splits() {}

    /** A share of every tensor for each rank. */
    public static List<Shard> tensor(int ranks) {
        return IntStream.range(0, ranks)
                .mapToObj(rank -> Shard.tensors(rank, ranks))
                .toList();
    }

    /**
     * Consecutive layers for each rank, so that all read about as many bytes per token: the first has the output head as well.
     *
     * @throws IllegalArgumentException where there are fewer layers than ranks
     */
    public static List<Shard> pipeline(Path folder, int ranks) {
        long[] bytes = bytes(folder);
        int layers = bytes.length - 1;
        if (layers < ranks) {
            throw new IllegalArgumentException(
                    "a model of " + layers + " layers cannot be split over " + ranks + " ranks by layers");
        }
        long whole = Arrays.stream(bytes).sum();
        List<Shard> parts = new ArrayList<>();
        long read = bytes[layers];
        int first = 0;
        for (int rank = 0; rank < ranks; rank++) {
            int end = first;
            int most = layers - (ranks - 1 - rank); // the others need a layer each
            // a layer that crosses the line goes where the larger part of it lies
            while (end < most && (end == first || read + bytes[end] / 2 <= whole * (rank + 1) / ranks)) {
                read += bytes[end++];
            }
            int last = rank == ranks - 1 ? layers : end;
            parts.add(Shard.layers(first, last));
            first = last;
        }
        return parts;
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

    /** Bytes of each layer and, at the end, of the output head. */
    private static long[] bytes(Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            TreeMap<Integer, Long> layers = new TreeMap<>();
            long embedding = 0;
            long head = 0;
            for (String name : checkpoint.names()) {
                long size = checkpoint.get(name).data().byteSize();
                Optional<Integer> layer = layer(name);
                layer.ifPresent(index -> layers.merge(index, size, Long::sum));
                embedding += name.contains("embed_tokens") ? size : 0;
                head += name.contains("lm_head") ? size : 0;
            }
            long[] bytes = new long[layers.isEmpty() ? 1 : layers.lastKey() + 2];
            layers.forEach((index, size) -> bytes[index] = size);
            bytes[bytes.length - 1] = head > 0 ? head : embedding;
            return bytes;
        }
    }

    private static Optional<Integer> layer(String tensor) {
        Matcher matcher = LAYER.matcher(tensor);
        return matcher.find() ? Optional.of(Integer.parseInt(matcher.group(1))) : Optional.empty();
    }
}
