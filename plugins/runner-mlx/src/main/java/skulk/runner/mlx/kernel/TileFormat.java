package skulk.runner.mlx.kernel;

/**
 * How a matrix lies in memory. Rows are taken in tiles of 16; within a tile the same column (or packed word) of the 16
 * rows is adjacent, so that one vector holds 16 rows and a tile is read as one sequential stream.
 *
 * <p>Plain formats: per column, 16 values. Quantised formats: per group of columns, 16 scales, 16 biases, then the
 * group's words, 16 at a time; word {@code j} holds bits {@code 32j..32j+31} of the little-endian bit stream of a row.
 *
 * @param kind what a value is
 * @param bits bits of a value; 32 or 16 for plain formats
 * @param group columns that share scale and bias; 1 for plain formats
 * @param wideScales scales and biases are F32 rather than BF16
 */
public record TileFormat(Kind kind, int bits, int group, boolean wideScales) {
    /** Rows of a tile. */
    public static final int ROWS = 16;

    /** What a value is. */
    public enum Kind {
        F32,
        F16,
        BF16,
        /** {@code value × scale + bias}. */
        AFFINE,
        /** 4-bit floats (1 sign, 2 exponent, 1 mantissa bit) times a scale in BF16, no bias. */
        FP4,
        /** 8-bit floats (1 sign, 4 exponent, 3 mantissa bits) times a scale in BF16, no bias. */
        FP8
    }

    public static TileFormat plain(Kind kind) {
        return new TileFormat(kind, kind == Kind.F32 ? 32 : 16, 1, false);
    }

    public static TileFormat affine(int bits, int group, boolean wideScales) {
        return new TileFormat(Kind.AFFINE, bits, group, wideScales);
    }

    public static TileFormat fp4(int group) {
        return new TileFormat(Kind.FP4, 4, group, false);
    }

    public static TileFormat fp8(int group) {
        return new TileFormat(Kind.FP8, 8, group, false);
    }

    public boolean quantised() {
        return kind == Kind.AFFINE || small();
    }

    /** Whether values are floats of 4 or 8 bits. */
    public boolean small() {
        return kind == Kind.FP4 || kind == Kind.FP8;
    }

    /** Bytes of one scale or bias. */
    public int scaleBytes() {
        return wideScales ? 4 : 2;
    }

    /** Bytes before the words of a group: scales and, if affine, biases of 16 rows. */
    public int groupHead() {
        return switch (kind) {
            case AFFINE -> 2 * ROWS * scaleBytes();
            case FP4, FP8 -> ROWS * scaleBytes();
            default -> 0;
        };
    }

    /** Bytes of one group of 16 rows. */
    public long groupBytes() {
        return groupHead() + (long) group * bits / 8 * ROWS;
    }

    /** Bytes of a tile of {@code cols} columns. */
    public long tileBytes(int cols) {
        return groupBytes() * (cols / group);
    }
}
