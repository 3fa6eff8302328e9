package skulk.runner.mlx.model;

import java.util.Objects;

/**
 * How a decoder is loaded.
 *
 * @param threads worker threads, the driver included; at least 1
 * @param kernels exact, fast or chosen by the model
 * @param kv number format of cached keys and values
 * @param limits memory and context
 * @param shard which part of the model this rank holds
 * @param collectives how ranks talk; {@link Collectives#alone()} for an unsplit model
 */
public record LoadOptions(
        int threads, Kernels kernels, KvFormat kv, Limits limits, Shard shard, Collectives collectives) {

    public LoadOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + threads);
        }
        Objects.requireNonNull(kernels);
        Objects.requireNonNull(kv);
        Objects.requireNonNull(limits);
        Objects.requireNonNull(shard);
        Objects.requireNonNull(collectives);
    }

    /** A whole model on this machine, everything chosen by the model. */
    public static LoadOptions defaults() {
        return new LoadOptions(
                Runtime.getRuntime().availableProcessors(),
                Kernels.AUTO,
                KvFormat.AUTO,
                Limits.none(),
                Shard.whole(),
                Collectives.alone());
    }

    public LoadOptions withThreads(int value) {
        return new LoadOptions(value, kernels, kv, limits, shard, collectives);
    }

    public LoadOptions withKernels(Kernels value) {
        return new LoadOptions(threads, value, kv, limits, shard, collectives);
    }

    public LoadOptions withKv(KvFormat value) {
        return new LoadOptions(threads, kernels, value, limits, shard, collectives);
    }

    public LoadOptions withLimits(Limits value) {
        return new LoadOptions(threads, kernels, kv, value, shard, collectives);
    }

    public LoadOptions withShard(Shard value, Collectives links) {
        return new LoadOptions(threads, kernels, kv, limits, value, links);
    }

    /** Which kernels multiply matrices. */
    public enum Kernels {
        /** Weights expanded to float exactly as MLX does. */
        EXACT,
        /** Activations rounded to integers where weights have 4 bits; more than twice as fast. */
        FAST,
        /** {@link #FAST} where it is needed and accurate enough, see {@link Precision}; {@link #EXACT} otherwise. */
        AUTO,
        /**
         * Every operation rounded to BF16 as MLX's CPU backend rounds it, in plain loops: for comparing a BF16
         * checkpoint with MLX bit by bit. Dense attention models only.
         */
        MLX
    }

    /** Number format of the cache. */
    public enum KvFormat {
        F32,
        BF16,
        /** 8-bit steps between the least and the largest of every 64 numbers; 9/16 of BF16's memory. */
        INT8,
        /** {@link #F32} for small models, {@link #BF16} otherwise. */
        AUTO
    }

    /**
     * Memory and context limits.
     *
     * @param memoryBytes weights, cache and workspace together
     * @param cacheBytes the cache alone
     * @param cacheTokens tokens that the cache may hold where that takes more than {@link #LEAST_CACHE}: more than the
     *     batch can use and prefixes are worth keeping for would only take memory from others
     * @param maxContext cap on the length of a sequence, beside what the model says
     */
    public record Limits(long memoryBytes, long cacheBytes, long cacheTokens, int maxContext) {
        /** Bytes of cache that no number of tokens cuts down. */
        public static final long LEAST_CACHE = 256L << 20;

        /** As many tokens as fit. */
        public Limits(long memoryBytes, long cacheBytes, int maxContext) {
            this(memoryBytes, cacheBytes, Long.MAX_VALUE, maxContext);
        }

        /** No cap but what the model itself and half of the machine's memory say. */
        public static Limits none() {
            return new Limits(Long.MAX_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE);
        }
    }

    /**
     * The part of a model that one rank holds. Splits by layers ({@code firstLayer..endLayer}) or by tensors
     * ({@code tensorRanks} shares of every layer). Rank 0 holds embedding and output head when split by layers.
     *
     * @param firstLayer first layer, inclusive
     * @param endLayer last layer, exclusive; {@link Integer#MAX_VALUE} for the end of the model
     * @param tensorRank this rank's share, from 0
     * @param tensorRanks number of shares; 1 when layers are whole
     */
    public record Shard(int firstLayer, int endLayer, int tensorRank, int tensorRanks) {
        public Shard {
            if (firstLayer < 0 || endLayer <= firstLayer) {
                throw new IllegalArgumentException("no layers in " + firstLayer + ".." + endLayer);
            }
            if (tensorRank < 0 || tensorRank >= tensorRanks) {
                throw new IllegalArgumentException("no share " + tensorRank + " of " + tensorRanks);
            }
        }

        /** The whole model. */
        public static Shard whole() {
            return new Shard(0, Integer.MAX_VALUE, 0, 1);
        }

        /** Layers {@code first..end} whole. */
        public static Shard layers(int first, int end) {
            return new Shard(first, end, 0, 1);
        }

        /** Share {@code rank} of {@code ranks} of every layer. */
        public static Shard tensors(int rank, int ranks) {
            return new Shard(0, Integer.MAX_VALUE, rank, ranks);
        }
    }
}
