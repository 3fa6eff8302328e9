package skulk.runner.mlx.bench;

import java.util.random.RandomGenerator;

/** Prompts of random words, so that no server answers them from a cache of prefixes. */
final class Words {
    private Words() {}

    static String of(RandomGenerator random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(Integer.toString(random.nextInt(36 * 36 * 36), 36)).append(' ');
        }
        return text.toString();
    }
}
