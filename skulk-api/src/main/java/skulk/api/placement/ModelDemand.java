package skulk.api.placement;

import java.util.Locale;
import java.util.Optional;
import skulk.api.cluster.Shard;
import skulk.api.model.ModelCard;

/**
 * What a model takes from the nodes that hold it (contract section 9.2).
 *
 * @param weights bytes of all weights
 * @param overhead factor on the weights for activations and the runner: 1.30, or 1.10 for GGUF cards
 * @param kvPerToken bytes of keys and values per token over all layers, 0 where the number of heads is unknown
 */
public record ModelDemand(long weights, double overhead, long kvPerToken) {
    /** Tokens that the KV reserve of a placement is worked out for. */
    public static final int KV_TOKENS = 8192;

    /** What a rank needs whatever its share: 256 MiB. */
    public static final long RANK_BYTES = 256L << 20;

    private static final int HEAD_DIMENSION = 128;
    private static final double OVERHEAD = 1.30;
    private static final double GGUF_OVERHEAD = 1.10;
    private static final int GGUF_CONTEXT = 8192;

    /** The demand of a card; {@code kvPerToken = 2 × layers × kvHeads × 128 × 2 bytes}. */
    public static ModelDemand of(ModelCard card) {
        long perToken = card.numKeyValueHeads()
                .map(heads -> 2L * card.nLayers() * heads * HEAD_DIMENSION * 2)
                .orElse(0L);
        return new ModelDemand(
                card.storageSize().inBytes(), card.ggufFile().isPresent() ? GGUF_OVERHEAD : OVERHEAD, perToken);
    }

    /** A shard's share of the weights and of the KV cache, in 0…1. */
    public static double share(Shard shard) {
        return switch (shard) {
            case Shard.PipelineShardMetadata p -> (double) (p.endLayer() - p.startLayer()) / p.nLayers();
            case Shard.TensorShardMetadata t -> {
                int heads = t.modelCard().numKeyValueHeads().orElse(t.worldSize());
                yield heads < t.worldSize()
                        ? 1.0 / t.worldSize()
                        : (double) headsOf(t.deviceRank(), t.worldSize(), heads) / heads;
            }
        };
    }

    /** How many of the heads a rank takes: the first ranks one more where they do not divide evenly. */
    public static int headsOf(int rank, int ranks, int heads) {
        return heads / ranks + (rank < heads % ranks ? 1 : 0);
    }

    /** Bytes of weights in a share of 0…1. */
    public double weightBytes(double share) {
        return weights * share;
    }

    /** Bytes of keys and values in a share of 0…1. */
    public double kvBytes(double share) {
        return (double) kvPerToken * KV_TOKENS * share;
    }

    /** Bytes that a node needs for a share of 0…1: {@code share × overhead + kvShare + 256 MiB}. */
    public long required(double share) {
        return (long) Math.ceil(weightBytes(share) * overhead + kvBytes(share)) + RANK_BYTES;
    }

    /**
     * The tokens of context that fit beside a share (contract section 9.3): {@code (ceiling − weights × share × overhead − 256 MiB) / (perToken × share)}.
     *
     * @param ceiling the most a node may ever use, see {@link NodeBudget#ceiling()}
     * @return empty where the number of heads is unknown
     */
    public Optional<Long> contextTokens(double share, long ceiling) {
        if (kvPerToken == 0) {
            return Optional.empty();
        }
        double room = ceiling - weightBytes(share) * overhead - RANK_BYTES;
        return Optional.of((long) Math.max(0, Math.floor(room / (kvPerToken * share))));
    }

    /** What the card itself allows: its context length, {@code max_context_tokens} and, for GGUF, 8192; {@code Long.MAX_VALUE} where it says nothing. */
    static long cardContext(ModelCard card) {
        long limit = card.contextLength() > 0 ? card.contextLength() : Long.MAX_VALUE;
        Optional<Integer> max = card.placement().flatMap(ModelCard.Placement::maxContextTokens);
        limit = Math.min(limit, max.map(Integer::longValue).orElse(Long.MAX_VALUE));
        return card.ggufFile().isPresent() ? Math.min(limit, GGUF_CONTEXT) : limit;
    }

    /** An amount as refusals word it, {@code 12.3GB} of 10⁹ bytes. */
    public static String gb(double bytes) {
        return String.format(Locale.ROOT, "%.1fGB", bytes / 1e9);
    }
}
