package skulk.runner.mlx.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The vector shapes that kernels use: as wide as the machine, at most 16 floats (a tile's rows). */
final class Lanes {
    static final VectorSpecies<Float> F =
            FloatVector.SPECIES_PREFERRED.length() > 16 ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
    /** As many shorts as {@link #F} has floats. */
    static final VectorSpecies<Short> HALF =
            VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));
    /** As many bytes as {@link #F} has floats, or the fewest that a vector can hold. */
    static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, F.vectorBitSize() / 4)));
    /** Shorts in a vector of the full width. */
    static final VectorSpecies<Short> S = VectorSpecies.of(short.class, F.vectorShape());

    static final int N = F.length();

    private Lanes() {}

    static boolean available() {
        return N >= 4 && IntVector.SPECIES_PREFERRED.length() >= 4 && ShortVector.SPECIES_64.length() == 4;
    }
}
