package skulk.runner.mlx.sample;

/**
 * Random numbers by position: the same seed and position always give the same number, whatever was drawn before. That
 * makes seeded output independent of batches, drafts and resumed requests.
 *
 * <p>The mixing function is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, OOPSLA 2014), applied to the seed and to the position in turn.
 */
record CounterRandom(long seed) {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    /** Uniform in [0, 1), 53 bits. */
    double uniform(long position) {
        return (mix(mix(seed + GOLDEN_GAMMA) + position * GOLDEN_GAMMA) >>> 11) * 0x1.0p-53;
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
