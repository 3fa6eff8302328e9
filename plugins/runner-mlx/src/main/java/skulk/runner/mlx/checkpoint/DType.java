package skulk.runner.mlx.checkpoint;

import java.util.Arrays;
import java.util.Optional;

/** Number formats of tensors in a safetensors file. Names are those of the file format. */
public enum DType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    BOOL(1),
    F8_E4M3(1),
    F8_E5M2(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements can be read as weights of their own: F32, F16, BF16. */
    public boolean isWeight() {
        return this == F32 || this == F16 || this == BF16;
    }

    static Optional<DType> of(String name) {
        return Arrays.stream(values()).filter(d -> d.name().equals(name)).findFirst();
    }
}
