package skulk.runner.mlx.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;

/**
 * One tensor of a checkpoint, mapped from its file; little-endian, row-major.
 *
 * @param name full name in the checkpoint
 * @param dtype number format
 * @param shape sizes, outermost first; empty for a scalar
 * @param data exactly the tensor's bytes, valid while the checkpoint is open
 * @param file where it lies
 * @param offset of its first byte in the file
 */
public record Tensor(String name, DType dtype, List<Long> shape, MemorySegment data, Path file, long offset) {
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Tensor {
        shape = List.copyOf(shape);
    }

    /** Number of elements. */
    public long size() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    /** Size of dimension {@code axis}, counted from the end if negative. */
    public long dim(int axis) {
        return shape.get(axis < 0 ? shape.size() + axis : axis);
    }

    /** Element {@code index} in row-major order as a float. For F32, F16 and BF16. */
    public float get(long index) {
        return switch (dtype) {
            case F32 -> data.get(FLOAT, index * 4);
            case F16 -> Float.float16ToFloat(data.get(SHORT, index * 2));
            case BF16 -> Float.intBitsToFloat(data.get(SHORT, index * 2) << 16);
            default -> throw wrong("is " + dtype + ", not one of F32, F16, BF16");
        };
    }

    /** {@code length} elements from {@code start} on as floats. */
    public float[] floats(long start, int length) {
        float[] out = new float[length];
        for (int i = 0; i < length; i++) {
            out[i] = get(start + i);
        }
        return out;
    }

    /** This tensor's entries {@code from..to} of the first dimension. */
    public Tensor slice(long from, long to) {
        long row = data.byteSize() / shape.getFirst();
        var cut = new java.util.ArrayList<>(shape);
        cut.set(0, to - from);
        return new Tensor(name, dtype, cut, data.asSlice(from * row, (to - from) * row), file, offset + from * row);
    }

    /** Entry {@code index} of the first dimension, which the result no longer has. */
    public Tensor entry(long index) {
        Tensor one = slice(index, index + 1);
        return new Tensor(name, dtype, shape.subList(1, shape.size()), one.data, file, one.offset);
    }

    /** Checks the shape. */
    public Tensor expect(long... wanted) {
        if (!shape.equals(java.util.Arrays.stream(wanted).boxed().toList())) {
            throw wrong("has shape " + shape + ", expected " + java.util.Arrays.toString(wanted));
        }
        return this;
    }

    /** An error about this tensor. */
    public CheckpointException wrong(String what) {
        return new CheckpointException(file + ": tensor " + name + " " + what);
    }
}
