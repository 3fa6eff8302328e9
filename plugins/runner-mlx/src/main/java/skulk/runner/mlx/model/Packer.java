package skulk.runner.mlx.model;

import static skulk.runner.mlx.kernel.TileFormat.ROWS;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongFunction;
import skulk.runner.mlx.checkpoint.DType;
import skulk.runner.mlx.checkpoint.Quantization.Format;
import skulk.runner.mlx.checkpoint.Tensor;
import skulk.runner.mlx.kernel.NativeMemory;
import skulk.runner.mlx.kernel.SmallFloat;
import skulk.runner.mlx.kernel.TileFormat;
import skulk.runner.mlx.kernel.TileFormat.Kind;
import skulk.runner.mlx.kernel.TileMatrix;
import skulk.runner.mlx.kernel.Tiles;
import skulk.runner.mlx.kernel.WorkerPool;

/** Copies matrices from the mapped file into tiles, in parallel. Reads each byte of this rank's share once. */
final class Packer {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int TILES_PER_TASK = 4;

    private final LongFunction<MemorySegment> memory;
    private final Optional<WorkerPool> pool;

    private Packer(LongFunction<MemorySegment> memory, Optional<WorkerPool> pool) {
        this.memory = memory;
        this.pool = pool;
    }

    Packer(NativeMemory memory, WorkerPool pool) {
        this(memory::allocate, Optional.of(pool));
    }

    /** One that makes matrices of the right shape without content, all in the same memory. */
    static Packer ofShapes(LongFunction<MemorySegment> scratch) {
        return new Packer(scratch, Optional.empty());
    }

    /** The same with another memory to pack into. */
    Packer into(NativeMemory other) {
        return pool.isPresent() ? new Packer(other::allocate, pool) : this;
    }

    /** Rows {@code from..from+count} of a packed matrix as the columns of a new one, in floats. */
    TileMatrix transposed(TileMatrix source, int from, int count) {
        Cut cut = Cut.rows(count, new Cut.Range(0, source.cols()));
        TileMatrix matrix = allocate(cut, TileFormat.plain(Kind.F32));
        float[] row = new float[source.cols()];
        for (int k = 0; k < count && pool.isPresent(); k++) {
            Tiles.row(source, from + k, row, 0);
            for (int r = 0; r < row.length; r++) {
                long at = r / ROWS * matrix.tileBytes() + ((long) k * ROWS + r % ROWS) * 4;
                matrix.data().set(INT, at, Float.floatToRawIntBits(row[r]));
            }
        }
        return matrix;
    }

    /** A plain matrix, kept in its own number format. */
    TileMatrix plain(Tensor weight, Cut cut) {
        Kind kind =
                switch (weight.dtype()) {
                    case F32 -> Kind.F32;
                    case F16 -> Kind.F16;
                    case BF16 -> Kind.BF16;
                    default -> throw weight.wrong("is " + weight.dtype() + "; weights are F32, F16 or BF16");
                };
        TileMatrix matrix = allocate(cut, TileFormat.plain(kind));
        int bytes = weight.dtype().bytes();
        forTiles(matrix, (tile, row) -> {
            long from = ((long) cut.sourceRow(tile * ROWS + row) * weight.dim(-1)
                            + cut.columns().from())
                    * bytes;
            long to = tile * matrix.tileBytes() + (long) row * bytes;
            for (int k = 0; k < matrix.cols(); k++, from += bytes, to += (long) ROWS * bytes) {
                if (bytes == 4) {
                    matrix.data().set(INT, to, weight.data().get(INT, from));
                } else {
                    matrix.data().set(SHORT, to, weight.data().get(SHORT, from));
                }
            }
        });
        return matrix;
    }

    /** A quantised matrix. Shapes have been checked. */
    TileMatrix quantised(Quantised q, Cut cut) {
        Format format = q.format;
        int group = groupFor(format, cut);
        TileFormat tiles =
                switch (format.mode()) {
                    case "affine" -> TileFormat.affine(format.bits(), group, q.scales.dtype() != DType.BF16);
                    case "mxfp8" -> TileFormat.fp8(group);
                    default -> TileFormat.fp4(group);
                };
        TileMatrix matrix = allocate(cut, tiles);
        int rowWords = matrix.cols() * format.bits() / 32;
        int groupWords = group * format.bits() / 32;
        int tasks = (matrix.tiles() + TILES_PER_TASK - 1) / TILES_PER_TASK;
        pool.ifPresent(workers -> workers.run(tasks, (task, worker) -> {
            int[] row = new int[rowWords];
            int[] words = new int[rowWords * ROWS];
            int end = Math.min(matrix.tiles(), (task + 1) * TILES_PER_TASK);
            for (int tile = task * TILES_PER_TASK; tile < end; tile++) {
                long to = tile * matrix.tileBytes();
                int rows = Math.min(ROWS, matrix.rows() - tile * ROWS);
                if (rows < ROWS) {
                    Arrays.fill(words, 0);
                }
                for (int r = 0; r < rows; r++) {
                    int source = cut.sourceRow(tile * ROWS + r);
                    long from = source * q.weight.dim(-1) + (long) cut.columns().from() * format.bits() / 32;
                    MemorySegment.copy(q.weight.data(), INT, from * 4, row, 0, rowWords);
                    spread(row, words, r);
                    putScales(q, source, cut, matrix, to, r);
                }
                for (int g = 0; g < matrix.cols() / group; g++) {
                    long at = to + g * tiles.groupBytes() + tiles.groupHead();
                    MemorySegment.copy(words, g * groupWords * ROWS, matrix.data(), INT, at, groupWords * ROWS);
                }
            }
        }));
        return matrix;
    }

    /** The words of one row into a tile, where 16 rows lie side by side; on arrays, which the JIT makes fast early. */
    private static void spread(int[] row, int[] words, int r) {
        int at = r;
        for (int word : row) {
            words[at] = word;
            at += ROWS;
        }
    }

    private static void putScales(Quantised q, int source, Cut cut, TileMatrix matrix, long tileAt, int row) {
        TileFormat tiles = matrix.format();
        long first = source * q.scales.dim(-1);
        for (int g = 0; g < matrix.cols() / tiles.group(); g++) {
            long to = tileAt + g * tiles.groupBytes();
            long from = first + (cut.columns().from() + g * tiles.group()) / q.format.group();
            if (!q.format.affine()) {
                byte code = q.scales.data().get(ValueLayout.JAVA_BYTE, from);
                matrix.data().set(SHORT, to + row * 2L, scale(q.format, code & 0xff));
                continue;
            }
            putScale(matrix.data(), to, row, tiles, q.scales, from);
            putScale(matrix.data(), to + (long) ROWS * tiles.scaleBytes(), row, tiles, q.biases.orElseThrow(), from);
        }
    }

    /** The group of the matrix, or a part of it where a share starts or ends within one. */
    private static int groupFor(Format format, Cut cut) {
        // the integer kernels share activations' steps over 64 columns at most
        int group = format.bits() == 4 ? Math.min(format.group(), 64) : format.group();
        while (cut.columns().from() % group != 0 || cut.columns().to() % group != 0) {
            group /= 2;
        }
        if (group * format.bits() % 32 != 0) {
            throw new IllegalArgumentException("columns " + cut.columns() + " cut a word of " + format);
        }
        return group;
    }

    /** The scale of a group of small floats as BF16, which holds all of them exactly: a power of two, or an 8-bit float. */
    private static short scale(Format format, int code) {
        return format.mode().equals("nvfp4")
                ? (short) (Float.floatToRawIntBits(SmallFloat.fp8(code)) >>> 16)
                : (short) (code == 0 ? 0x40 : code << 7);
    }

    private static void putScale(MemorySegment to, long at, int row, TileFormat tiles, Tensor from, long index) {
        if (tiles.wideScales()) {
            to.set(INT, at + row * 4L, Float.floatToRawIntBits(from.get(index)));
        } else {
            to.set(SHORT, at + row * 2L, from.data().get(SHORT, index * 2));
        }
    }

    private TileMatrix allocate(Cut cut, TileFormat format) {
        int rows = cut.rowCount();
        int cols = cut.columns().size();
        return new TileMatrix(rows, cols, format, memory.apply(TileMatrix.bytes(rows, cols, format)));
    }

    private void forTiles(TileMatrix matrix, RowCopy copy) {
        int tasks = (matrix.tiles() + TILES_PER_TASK - 1) / TILES_PER_TASK;
        pool.ifPresent(workers -> workers.run(tasks, (task, worker) -> {
            int end = Math.min(matrix.rows(), (task + 1) * TILES_PER_TASK * ROWS);
            for (int i = task * TILES_PER_TASK * ROWS; i < end; i++) {
                copy.copy(i / ROWS, i % ROWS);
            }
        }));
    }

    private interface RowCopy {
        void copy(int tile, int row);
    }

    /**
     * The tensors of a quantised matrix.
     *
     * @param biases of affine values only
     */
    record Quantised(Tensor weight, Tensor scales, Optional<Tensor> biases, Format format) {}
}
