package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SelectionTest {

    /** What {@code std::nth_element} of libstdc++ left at the front, or at the end, with many ties among the values. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "0: 4 2 first 2 0",
                "0: 4 2 last 0 2",
                "1: 8 3 first 4 3 6",
                "1: 8 3 last 6 3 4",
                "2: 16 4 first 0 10 3 15",
                "2: 16 4 last 3 15 0 10",
                "3: 60 6 first 19 42 8 14 10 44",
                "3: 60 6 last 10 19 44 42 8 14",
                "4: 128 8 first 74 24 37 55 10 89 2 11",
                "4: 128 8 last 73 24 75 83 37 89 74 55"
            })
    void isInTheOrderOfCpp(String recorded) {
        String[] words = recorded.split("[: ]+");
        float[] values = values(17 + Integer.parseInt(words[0]), Integer.parseInt(words[1]));
        int used = Integer.parseInt(words[2]);
        int[] expected =
                Arrays.stream(words).skip(4).mapToInt(Integer::parseInt).toArray();
        int[] out = new int[used + 1];
        if (words[3].equals("first")) {
            Selection.largestFirst(values, 0, values.length, used, out, 1);
        } else {
            Selection.largestLast(values, 0, values.length, used, out, 1);
        }
        assertArrayEquals(expected, Arrays.copyOfRange(out, 1, used + 1));
    }

    private static float[] values(long seed, int count) {
        float[] out = new float[count];
        long state = seed;
        for (int i = 0; i < count; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            out[i] = (state >>> 40) % 32 / 8f;
        }
        return out;
    }

    @Test
    void takesTheLargestWhateverTheirOrder() {
        Random random = new Random(3);
        for (int i = 0; i < 2_000; i++) {
            int count = 1 + random.nextInt(40);
            int used = 1 + random.nextInt(count);
            float[] values = new float[count + 2];
            for (int j = 0; j < values.length; j++) {
                values[j] = random.nextFloat();
            }
            values[random.nextInt(values.length)] = Float.NaN;
            float[] own = Arrays.copyOfRange(values, 2, values.length);
            int[] out = new int[used];
            Selection.largestFirst(values, 2, count, used, out, 0);
            assertEquals(largest(own, used), Arrays.stream(out).boxed().collect(Collectors.toSet()));
            assertEquals(count - used, Selection.smallest(own, count - used).length);
        }
    }

    /** NaN is worse than all numbers. */
    private static Set<Integer> largest(float[] values, int used) {
        return IntStream.range(0, values.length)
                .boxed()
                .sorted((a, b) -> {
                    float x = Float.isNaN(values[a]) ? Float.NEGATIVE_INFINITY : values[a];
                    float y = Float.isNaN(values[b]) ? Float.NEGATIVE_INFINITY : values[b];
                    return x == y ? a - b : Float.compare(y, x);
                })
                .limit(used)
                .collect(Collectors.toSet());
    }
}
