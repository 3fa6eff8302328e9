package skulk.runner.mlx.kernel;

import java.lang.foreign.MemorySegment;

/**
 * A weight matrix in tiles, immutable once filled. Rows are output features, columns input features.
 *
 * @param rows rows, any number; the last tile is padded with zeros
 * @param cols columns, a multiple of the format's group
 * @param format how values lie
 * @param data {@link #tiles()} tiles of {@link #tileBytes()}, one more if that is odd: kernels take two at a time
 */
public record TileMatrix(int rows, int cols, TileFormat format, MemorySegment data) {

    public TileMatrix {
        if (rows < 1 || cols < 1 || cols % format.group() != 0) {
            throw new IllegalArgumentException(rows + " x " + cols + " in groups of " + format.group());
        }
        if (data.byteSize() != bytes(rows, cols, format)) {
            throw new IllegalArgumentException("memory of another size");
        }
    }

    /** Bytes that a matrix takes. */
    public static long bytes(int rows, int cols, TileFormat format) {
        long pairs = (rows + 2L * TileFormat.ROWS - 1) / (2 * TileFormat.ROWS);
        return Math.multiplyExact(format.tileBytes(cols), 2 * pairs);
    }

    public int tiles() {
        return (rows + TileFormat.ROWS - 1) / TileFormat.ROWS;
    }

    public long tileBytes() {
        return format.tileBytes(cols);
    }
}
