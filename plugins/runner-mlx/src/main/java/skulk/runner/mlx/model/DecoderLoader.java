package skulk.runner.mlx.model;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import skulk.api.RankContext.Partial;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.Fields;
import skulk.runner.mlx.checkpoint.Quantization;
import skulk.runner.mlx.checkpoint.Tensor;
import skulk.runner.mlx.kernel.AttentionKernels;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.kernel.KvType;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.TileFormat;
import skulk.runner.mlx.kernel.WorkerPool;
import skulk.runner.mlx.model.LoadOptions.Kernels;
import skulk.runner.mlx.model.LoadOptions.KvFormat;

/** Makes a decoder from a checkpoint folder as published: {@code config.json} and {@code *.safetensors}. */
public final class DecoderLoader {
    /** Share of the machine's memory that a cache may take if nothing says otherwise. */
    private static final double DEFAULT_CACHE_SHARE = 0.25;

    private static final long WORKSPACE = 64L << 20;
    /** Tensors that MLX keeps in floats when it makes a checkpoint BF16. */
    private static final Pattern KEPT_WIDE = Pattern.compile("e_score_correction_bias|A_log");

    private DecoderLoader() {}

    /**
     * Loads, repacks and warms a model; blocks until it can serve at full speed.
     *
     * @throws CheckpointException if the folder cannot be run, naming file and tensor
     * @throws OutOfMemoryError if the weights do not fit the memory limit
     */
    public static Decoder load(Path folder, LoadOptions options) {
        return load(folder, Map.of(), options);
    }

    /**
     * Loads from a folder that holds this rank's share only.
     *
     * @param partial the files that are here in part, by name
     */
    public static Decoder load(Path folder, Map<String, Partial> partial, LoadOptions options) {
        return load(folder, partial, options, options.kernels() == Kernels.MLX ? Backend.bf16() : Backend.best());
    }

    static Decoder load(Path folder, LoadOptions options, Backend backend) {
        return load(folder, Map.of(), options, backend);
    }

    private static Decoder load(Path folder, Map<String, Partial> partial, LoadOptions options, Backend backend) {
        NativeMemory memory = new NativeMemory();
        WorkerPool workers = new WorkerPool(options.threads());
        try (Checkpoint checkpoint = Checkpoint.open(folder, partial)) {
            Fields config = new Fields(folder.resolve("config.json").toString(), checkpoint.config());
            Weights weights = new Weights(
                    checkpoint, Quantization.of(config), new Packer(memory, workers), new Shares(options.shard()));
            Architecture architecture;
            try (var _ = early(checkpoint, config, options, backend)) {
                architecture = Architectures.load(config, weights);
            }
            return assemble(architecture, weights, options, backend, new Owned(memory, workers));
        } catch (RuntimeException | Error e) {
            workers.close();
            memory.close();
            throw e;
        }
    }

    /** Warms up what most of the weights are likely to need, where they are many enough for it to matter. */
    private static Warmup.Early early(Checkpoint checkpoint, Fields config, LoadOptions options, Backend backend) {
        List<Tensor> tensors = checkpoint.names().stream().map(checkpoint::get).toList();
        long bytes = tensors.stream().mapToLong(t -> t.data().byteSize()).sum();
        boolean mixture = tensors.stream().anyMatch(t -> t.name().contains("expert"));
        boolean wide = tensors.stream().anyMatch(t -> t.name().endsWith(".scales") && t.dtype() != DType.BF16);
        Optional<TileFormat> format = Quantization.of(config)
                .at("")
                .filter(f -> f.affine() && bytes > Precision.LARGE_BYTES && !backend.rounds())
                .map(f -> TileFormat.affine(f.bits(), f.group(), wide));
        boolean fast = options.kernels() == Kernels.FAST || options.kernels() == Kernels.AUTO && !mixture;
        return Warmup.early(backend, format, fast);
    }

    private static Decoder assemble(
            Architecture architecture, Weights weights, LoadOptions options, Backend backend, Owned owned) {
        Architecture.Shape shape = architecture.shape();
        Precision precision = Precision.of(weights, options);
        KvType type = backend.rounds() ? KvType.BF16 : type(options.kv(), precision);
        KvLayout own = KvLayout.of(architecture.attention(), type).withState(architecture.state());
        CacheAgreement agreement = CacheAgreement.among(options.collectives(), own, cacheBytes(options, weights, own));
        KvLayout layout =
                KvLayout.of(architecture.attention(), type, agreement.windows()).withState(architecture.state());
        long perToken = layout.blockBytes() / AttentionKernels.BLOCK;
        DecoderSpec spec = new DecoderSpec(
                shape.modelType(),
                shape.vocab(),
                shape.hidden(),
                shape.layers(),
                Math.min(shape.maxContext(), options.limits().maxContext()),
                perToken,
                weights.bytes(),
                backend.describe() + (backend.rounds() ? "" : precision.words()));
        PagedPool cache = new PagedPool(layout, owned.memory, agreement);
        Ops ops = new Ops(backend, owned.workers, options.collectives(), precision.rounds());
        boolean layered = options.shard().tensorRanks() == 1;
        Pipeline pipeline = new Pipeline(options.collectives(), layered);
        if (precision.large()) {
            Warmup.matrices(ops, weights.formats());
        }
        TransformerDecoder.Parts parts = new TransformerDecoder.Parts(pipeline, owned.workers, owned.memory);
        Decoder decoder = new TransformerDecoder(architecture, spec, cache, ops, parts);
        if (options.collectives().ranks() == 1) {
            Warmup.steps(decoder);
        } else if (precision.large()) {
            Mute mute =
                    new Mute(options.collectives().rank(), options.collectives().ranks());
            Ops muted = new Ops(backend, owned.workers, mute, precision.rounds());
            TransformerDecoder.Parts alone =
                    new TransformerDecoder.Parts(new Pipeline(mute, layered), owned.workers, owned.memory);
            Warmup.steps(new TransformerDecoder(architecture, spec, cache, muted, alone));
        }
        if (precision.large()) {
            // kernels that are not compiled yet fill the heap with boxed vectors; give it back before serving
            System.gc();
        }
        return decoder;
    }

    private static KvType type(KvFormat format, Precision precision) {
        return switch (format) {
            case F32 -> KvType.F32;
            case BF16 -> KvType.BF16;
            case INT8 -> KvType.INT8;
            case AUTO -> precision.large() ? KvType.BF16 : KvType.F32;
        };
    }

    /**
     * Whether MLX evaluates a checkpoint in BF16 and {@link Kernels#MLX} does the same in bearable time: all its floats
     * are BF16, and it is small.
     */
    public static boolean takesBf16(Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            long bytes = 0;
            for (String name : checkpoint.names()) {
                Tensor tensor = checkpoint.get(name);
                bytes += tensor.data().byteSize();
                boolean wide = tensor.dtype() == DType.F32 || tensor.dtype() == DType.F16;
                if (wide && !KEPT_WIDE.matcher(name).find()) {
                    return false;
                }
            }
            return bytes <= Precision.LARGE_BYTES;
        }
    }

    private static long cacheBytes(LoadOptions options, Weights weights, KvLayout layout) {
        LoadOptions.Limits limits = options.limits();
        long left = limits.memoryBytes() == Long.MAX_VALUE
                ? (long) (physicalMemory() * DEFAULT_CACHE_SHARE)
                : limits.memoryBytes() - weights.bytes() - WORKSPACE;
        long bytes = Math.min(left, Math.min(limits.cacheBytes(), useful(limits, layout)));
        if (bytes < layout.blockBytes()) {
            throw new OutOfMemoryError("weights of " + weights.bytes() + " bytes leave no room for a cache within "
                    + limits.memoryBytes() + " bytes");
        }
        return bytes;
    }

    /** What the tokens take that the cache is to hold at most. */
    private static long useful(LoadOptions.Limits limits, KvLayout layout) {
        long blocks = limits.cacheTokens() / AttentionKernels.BLOCK + 1;
        double bytes = (double) blocks * layout.blockBytes()
                + 2.0 * limits.cacheTokens() / limits.maxContext() * layout.stateBytes();
        return Math.max(LoadOptions.Limits.LEAST_CACHE, (long) bytes);
    }

    private static long physicalMemory() {
        return java.lang.management.ManagementFactory.getOperatingSystemMXBean()
                        instanceof com.sun.management.OperatingSystemMXBean os
                ? os.getTotalMemorySize()
                : Runtime.getRuntime().maxMemory();
    }

    private record Owned(NativeMemory memory, WorkerPool workers) {}
}
