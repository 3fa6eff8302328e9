package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import skulk.runner.mlx.checkpoint.Checkpoint;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.Quantization;
import skulk.runner.mlx.checkpoint.Quantization.Format;
import skulk.runner.mlx.checkpoint.Tensor;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.TileFormat;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.WorkerPool;
import skulk.runner.mlx.model.Cut.Range;

/**
 * What architectures load from: named matrices and vectors of a checkpoint, checked, cut to this rank's share, packed.
 * Encoders of other packages load whole matrices only. One thread; valid while the checkpoint is open, what it returns for
 * as long as the memory.
 */
public final class Weights {
    /** Names under which programs other than MLX store a second scale beside those of the groups. */
    private static final List<String> WHOLE_SCALES =
            List.of(".global_scale", ".weight_global_scale", ".weight_scale_2");

    private final Checkpoint checkpoint;
    private final Quantization quantization;
    private final Packer packer;
    private final Shares shares;
    private final Access access;
    private final Set<TileFormat> formats = new HashSet<>();
    private long bytes;
    private boolean mixture;

    /** Hears of bytes of a tensor before they are read; see {@link Checkpoint#demand}. */
    @FunctionalInterface
    interface Access {
        void demand(Tensor tensor, long from, long to);
    }

    Weights(Checkpoint checkpoint, Quantization quantization, Packer packer, Shares shares) {
        this(checkpoint, quantization, packer, shares, checkpoint::demand);
    }

    Weights(Checkpoint checkpoint, Quantization quantization, Packer packer, Shares shares, Access access) {
        this.access = access;
        this.checkpoint = checkpoint;
        this.quantization = quantization;
        this.packer = packer;
        this.shares = shares;
    }

    /** Unsplit weights, packed into {@code memory} by the threads of {@code pool}. */
    public static Weights whole(
            Checkpoint checkpoint, Quantization quantization, NativeMemory memory, WorkerPool pool) {
        return new Weights(checkpoint, quantization, new Packer(memory, pool), new Shares(LoadOptions.Shard.whole()));
    }

    Shares shares() {
        return shares;
    }

    /** Bytes of all matrices so far. */
    public long bytes() {
        return bytes;
    }

    /** Whether experts are among the matrices so far. */
    boolean mixture() {
        return mixture;
    }

    /** Formats of all matrices so far. */
    Set<TileFormat> formats() {
        return Set.copyOf(formats);
    }

    /** Whether the checkpoint has a tensor of that full name. */
    public boolean has(String name) {
        return checkpoint.find(name).isPresent();
    }

    /** The first prefix under which {@code name} exists. */
    public String prefix(String name, String... prefixes) {
        return Arrays.stream(prefixes)
                .filter(p -> has(p + name))
                .findFirst()
                .orElseThrow(() -> new CheckpointException(
                        checkpoint.folder() + ": tensor " + prefixes[0] + name + " is missing"));
    }

    /** A whole matrix {@code path.weight}. */
    public TileMatrix matrix(String path, int rows, int cols) {
        return matrix(path, rows, cols, Cut.rows(cols, new Range(0, rows)));
    }

    /** A part of the matrix {@code path.weight} of {@code rows x cols}. */
    TileMatrix matrix(String path, int rows, int cols, Cut cut) {
        Tensor weight = checkpoint.get(path + ".weight");
        return pack(
                path,
                weight,
                checkpoint.find(path + ".scales"),
                checkpoint.find(path + ".biases"),
                new Size(rows, cols, cut));
    }

    /** One matrix per expert: of a stacked tensor {@code path.weight}, or of one tensor each as originally published. */
    List<TileMatrix> experts(String path, int experts, int rows, int cols, Cut cut) {
        mixture = true;
        if (!has(path + ".weight")) {
            List<TileMatrix> out = new ArrayList<>();
            for (int e = 0; e < experts && has(single(path, e) + ".weight"); e++) {
                out.add(matrix(single(path, e), rows, cols, cut));
            }
            if (out.size() == experts) {
                return out;
            }
        }
        Tensor weight = checkpoint.get(path + ".weight");
        Optional<Tensor> scales = checkpoint.find(path + ".scales");
        Optional<Tensor> biases = checkpoint.find(path + ".biases");
        for (Tensor t : List.of(weight, scales.orElse(weight), biases.orElse(weight))) {
            if (t.shape().size() != 3 || t.dim(0) != experts) {
                throw t.wrong("has shape " + t.shape() + ", expected " + experts + " experts of two dimensions");
            }
        }
        List<TileMatrix> out = new ArrayList<>();
        for (int e = 0; e < experts; e++) {
            int index = e;
            out.add(pack(
                    path,
                    weight.entry(e),
                    scales.map(t -> t.entry(index)),
                    biases.map(t -> t.entry(index)),
                    new Size(rows, cols, cut)));
        }
        return out;
    }

    /** Where one expert of {@code …switch_mlp.gate_proj} lies if they are not stacked; mixtral numbers its matrices. */
    private String single(String path, int expert) {
        String own = path.replace(".switch_mlp.", ".experts." + expert + ".");
        return has(own + ".weight")
                ? own
                : own.replace("gate_proj", "w1").replace("down_proj", "w2").replace("up_proj", "w3");
    }

    /** Ranges of rows of a matrix {@code path.weight} of {@code rows x cols}, each transposed and expanded to floats. */
    List<TileMatrix> transposed(String path, int rows, int cols, List<Range> ranges) {
        List<TileMatrix> out = new ArrayList<>();
        try (NativeMemory spare = new NativeMemory()) {
            Cut cut = new Cut(ranges, new Range(0, cols));
            TileMatrix part = build(
                    packer.into(spare),
                    path,
                    new Parts(
                            checkpoint.get(path + ".weight"),
                            checkpoint.find(path + ".scales"),
                            checkpoint.find(path + ".biases")),
                    new Size(rows, cols, cut));
            int at = 0;
            for (Range range : ranges) {
                out.add(held(packer.transposed(part, at, range.size())));
                at += range.size();
            }
        }
        return out;
    }

    private TileMatrix pack(String path, Tensor weight, Optional<Tensor> scales, Optional<Tensor> biases, Size size) {
        return held(build(packer, path, new Parts(weight, scales, biases), size));
    }

    private TileMatrix held(TileMatrix matrix) {
        formats.add(matrix.format());
        bytes += matrix.data().byteSize();
        return matrix;
    }

    private TileMatrix build(Packer into, String path, Parts parts, Size size) {
        parts.each(tensor -> demandRows(tensor, size.rows, size.cut.rows()));
        if (parts.scales.isPresent()) {
            return into.quantised(quantised(path, parts.weight, parts.scales.get(), parts.biases, size), size.cut);
        }
        if (!parts.weight.dtype().isWeight()) {
            throw parts.weight.wrong("is " + parts.weight.dtype() + " without " + path
                    + ".scales; weights are F32, F16, BF16 or quantised");
        }
        return into.plain(parts.weight.expect(size.rows, size.cols), size.cut);
    }

    private Packer.Quantised quantised(String path, Tensor weight, Tensor scales, Optional<Tensor> biases, Size size) {
        Format format = quantization
                .at(path)
                .orElseThrow(() -> scales.wrong("exists, but quantization in config.json does not cover " + path));
        if (size.cols % format.group() != 0) {
            throw weight.wrong("has " + size.cols + " columns, not a multiple of the group size " + format.group());
        }
        if (weight.dtype() != DType.U32) {
            throw weight.wrong("is " + weight.dtype() + ", packed weights are U32");
        }
        weight.expect(size.rows, (long) size.cols * format.bits() / 32);
        scales.expect(size.rows, size.cols / format.group());
        if (!format.affine()) {
            if (scales.dtype() != DType.U8) {
                throw scales.wrong("is " + scales.dtype() + ", " + format.mode() + " scales are U8");
            }
            for (String whole : WHOLE_SCALES) {
                if (has(path + whole)) {
                    throw checkpoint.get(path + whole).wrong("is a scale of a whole matrix, which is not known");
                }
            }
            return new Packer.Quantised(weight, scales, Optional.empty(), format);
        }
        Tensor bias = biases.orElseThrow(() -> weight.wrong("has scales but no " + path + ".biases"));
        bias.expect(size.rows, size.cols / format.group());
        for (Tensor t : List.of(scales, bias)) {
            if (t.dtype() != scales.dtype() || !t.dtype().isWeight()) {
                throw t.wrong("is " + t.dtype() + "; scales and biases are both F32, F16 or BF16");
            }
        }
        return new Packer.Quantised(weight, scales, Optional.of(bias), format);
    }

    /** A whole linear layer with its bias, if the checkpoint has one. */
    public Linear linear(String path, int rows, int cols) {
        return stacked(cols, List.of(Piece.whole(path, rows)));
    }

    /** Linear layers over the same input, each cut by rows, with their biases. */
    Linear stacked(int cols, List<Piece> pieces) {
        List<TileMatrix> parts = new ArrayList<>();
        int outputs = pieces.stream().mapToInt(p -> p.cut(cols).rowCount()).sum();
        float[] bias = new float[outputs];
        boolean biased = false;
        int at = 0;
        for (Piece piece : pieces) {
            Cut cut = piece.cut(cols);
            parts.add(matrix(piece.path, piece.rows, cols, cut));
            if (piece.bias || has(piece.path + ".bias")) {
                biased = true;
                for (Range range : cut.rows()) {
                    float[] values = vector(piece.path + ".bias", piece.rows, range);
                    System.arraycopy(values, 0, bias, at, values.length);
                    at += values.length;
                }
            } else {
                at += cut.rowCount();
            }
        }
        return new Linear(parts, biased ? Optional.of(bias) : Optional.empty(), false);
    }

    /** A linear layer cut by columns: outputs are summed over the ranks, then its bias is added. */
    Linear reduced(String path, int rows, int cols, Range columns, boolean bias) {
        TileMatrix part = matrix(path, rows, cols, new Cut(List.of(new Range(0, rows)), columns));
        Optional<float[]> values = bias || has(path + ".bias")
                ? Optional.of(vector(path + ".bias", rows, new Range(0, rows)))
                : Optional.empty();
        return new Linear(List.of(part), values, shares.shard().tensorRanks() > 1);
    }

    /** Part of a vector of {@code size} values. */
    float[] vector(String name, int size, Range range) {
        Tensor tensor = checkpoint.get(name).expect(size);
        demandRows(tensor, size, List.of(range));
        return tensor.floats(range.from(), range.size());
    }

    /** A tensor as it is. */
    public Tensor tensor(String name) {
        Tensor tensor = checkpoint.get(name);
        access.demand(tensor, 0, tensor.data().byteSize());
        return tensor;
    }

    /** Columns lie scattered over a row, so rows are what is asked for. */
    private void demandRows(Tensor tensor, int rows, List<Range> wanted) {
        long row = tensor.data().byteSize() / rows; // a tensor of another shape is refused before it is read
        wanted.forEach(range -> access.demand(tensor, range.from() * row, range.to() * row));
    }

    /** A norm's weights, plus an offset for families that store the difference from one. */
    Ops.Norm norm(String path, int size, double eps, float offset) {
        float[] weight = vector(path + ".weight", size, new Range(0, size));
        for (int i = 0; i < size; i++) {
            weight[i] += offset;
        }
        return new Ops.Norm(weight, eps);
    }

    /**
     * One of several stacked layers.
     *
     * @param path name without {@code .weight}
     * @param rows rows of the whole matrix
     * @param ranges rows held here
     * @param bias the configuration says that it has a bias
     */
    record Piece(String path, int rows, List<Range> ranges, boolean bias) {
        static Piece whole(String path, int rows) {
            return new Piece(path, rows, List.of(new Range(0, rows)), false);
        }

        static Piece of(String path, int rows, Range range, boolean bias) {
            return new Piece(path, rows, List.of(range), bias);
        }

        Cut cut(int cols) {
            return new Cut(ranges, new Range(0, cols));
        }
    }

    private record Size(int rows, int cols, Cut cut) {}

    private record Parts(Tensor weight, Optional<Tensor> scales, Optional<Tensor> biases) {
        void each(Consumer<Tensor> action) {
            action.accept(weight);
            scales.ifPresent(action);
            biases.ifPresent(action);
        }
    }
}
