package skulk.runner.mlx.kernel;

/**
 * Number format of cached keys and values.
 *
 * <p>{@link #INT8}: every {@link #GROUP} dimensions of one position have a scale and a bias of their own, as MLX
 * quantises its cache. A part of a block (the keys of a head, or its values) holds one signed byte per number, then for
 * each group the scales of the 16 positions and their biases, as F32.
 */
public enum KvType {
    F32,
    BF16,
    INT8;

    /** Dimensions that share a scale. */
    public static final int GROUP = 64;

    /** Bytes of a group's scales, or of its biases. */
    static final int SPAN = AttentionKernels.BLOCK * Float.BYTES;

    /** Bytes of a block's keys or values. @param width dimensions, as they are stored */
    public long bytes(int width) {
        return switch (this) {
            case F32 -> 4L * AttentionKernels.BLOCK * width;
            case BF16 -> 2L * AttentionKernels.BLOCK * width;
            case INT8 -> (long) AttentionKernels.BLOCK * width + 2L * SPAN * groups(width);
        };
    }

    static int groups(int width) {
        return (width + GROUP - 1) / GROUP;
    }

    /** Where the scales of a group start behind {@code width} dimensions; its biases follow them. */
    static long scales(int width, int group) {
        return (long) AttentionKernels.BLOCK * width + 2L * SPAN * group;
    }
}
