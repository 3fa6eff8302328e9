package skulk.runner.mlx.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import skulk.api.generation.Sampling;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.model.Logits;

class SamplerTest {
    private static final int DRAWS = 20_000;
    private final Workspace work = new Workspace(Backend.best().rows());

    @ParameterizedTest
    @CsvSource({
        "1,1,0,0",
        "0.7,1,0,0",
        "1,0.8,0,0",
        "1,1,5,0",
        "1.3,0.9,7,0",
        "1,1,0,0.1",
        "0.9,0.95,20,0.05",
        "1,0,0,0"
    })
    void drawsFollowTheTruncatedDistribution(double temperature, double topP, int topK, double minP) {
        float[] row = random(40, 3);
        double[] expected = reference(row, temperature, topP, topK, minP);
        long[] counts = new long[row.length];
        for (int seed = 0; seed < DRAWS; seed++) {
            SamplingPlan plan = plan(temperature, topP, topK, minP, seed);
            counts[choose(new Sampler(plan, new int[0], Optional.empty(), Optional.empty()), row)]++;
        }
        double chiSquare = 0;
        int kinds = 0;
        for (int i = 0; i < row.length; i++) {
            if (expected[i] == 0) {
                assertEquals(0, counts[i], "token " + i + " was truncated");
            } else if (expected[i] * DRAWS >= 5) {
                chiSquare += Math.pow(counts[i] - expected[i] * DRAWS, 2) / (expected[i] * DRAWS);
                kinds++;
            }
        }
        // mean kinds − 1, standard deviation sqrt(2 (kinds − 1)): five deviations
        assertTrue(chiSquare < kinds - 1 + 5 * Math.sqrt(2.0 * kinds), "chi-square " + chiSquare + " of " + kinds);
    }

    /** Textbook form: sort, cut, normalise. */
    private static double[] reference(float[] row, double temperature, double topP, int topK, double minP) {
        double max =
                IntStream.range(0, row.length).mapToDouble(i -> row[i]).max().orElseThrow();
        double[] weights = IntStream.range(0, row.length)
                .mapToDouble(i -> Math.exp((row[i] - max) / temperature))
                .toArray();
        List<Integer> order = IntStream.range(0, row.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -weights[i]))
                .limit(topK > 0 ? topK : row.length)
                .toList();
        double total = order.stream().mapToDouble(i -> weights[i]).sum();
        double[] kept = new double[row.length];
        double mass = 0;
        for (int token : order) {
            if (mass > 0 && mass >= topP * total) {
                break;
            }
            mass += weights[token];
            kept[token] = weights[token] >= minP ? weights[token] : 0;
        }
        double sum = Arrays.stream(kept).sum();
        return Arrays.stream(kept).map(w -> w / sum).toArray();
    }

    @Test
    void truncationIsExactOnALargeVocabulary() {
        float[] row = random(150_000, 2.5);
        double[] expected = reference(row, 1, 0.3, 0, 0);
        Integer[] order = IntStream.range(0, row.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> -row[i]));
        long kept = Arrays.stream(expected).filter(p -> p > 0).count();
        for (int seed = 0; seed < 300; seed++) {
            int token =
                    choose(new Sampler(plan(1, 0.3, 0, 0, seed), new int[0], Optional.empty(), Optional.empty()), row);
            // rounding may move the last one in or out
            assertTrue(row[token] >= row[order[(int) kept]], "rank of " + token);
        }
    }

    @Test
    void greedyTakesTheLowestIdOnATie() {
        assertEquals(
                1,
                choose(new Sampler(SamplingPlan.greedy(), new int[0], Optional.empty(), Optional.empty()), 0, 5, 5, 4));
    }

    @Test
    void topKKeepsLowerIdsAmongEquals() {
        float[] row = new float[100];
        for (int seed = 0; seed < 200; seed++) {
            int token =
                    choose(new Sampler(plan(1, 1, 3, 0, seed), new int[0], Optional.empty(), Optional.empty()), row);
            assertTrue(token < 3, "token " + token);
        }
    }

    @Test
    void seededDrawsDependOnPositionAlone() {
        float[] row = random(1000, 1);
        int[] alone = sequence(row, 7);
        assertArrayEquals(alone, sequence(row, 7));
        assertTrue(!Arrays.equals(alone, sequence(row, 8)));
    }

    private int[] sequence(float[] row, int seed) {
        Sampler sampler = new Sampler(plan(1, 1, 0, 0, seed), new int[0], Optional.empty(), Optional.empty());
        return IntStream.range(0, 50)
                .map(i -> {
                    int token = choose(sampler, row);
                    sampler.accept(token);
                    return token;
                })
                .toArray();
    }

    @Test
    void penaltiesAndBiasFollowTheirFormulas() {
        Sampling wish = new Sampling(
                Optional.of(0.0),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.of(2.0),
                Optional.of(2),
                Optional.of(0.5),
                Optional.of(0.25),
                Map.of(3, 10.0));
        Sampler sampler = new Sampler(
                SamplingPlan.of(wish, Sampling.DEFAULT, 0), new int[] {0, 1, 2}, Optional.empty(), Optional.empty());
        Logits logits = logits(4, 4, -4, 0);
        assertEquals(3, sampler.choose(logits, 0, work).token());
        // token 0 is out of the context of two
        assertArrayEquals(new float[] {4, 2, -8, 10}, Arrays.copyOf(logits.values(), 4));
        sampler.accept(1);
        sampler.accept(1);
        logits = logits(4, 4, -4, 0);
        sampler.choose(logits, 0, work);
        assertArrayEquals(new float[] {4, 2 - 2 * 0.5f - 0.25f, -4, 10}, Arrays.copyOf(logits.values(), 4));
    }

    @Test
    void logprobsAreThoseOfTheRawDistribution() {
        Sampling wish = new Sampling(
                Optional.of(0.0),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of(0, 100.0));
        Sampler sampler =
                new Sampler(SamplingPlan.of(wish, Sampling.DEFAULT, 0), new int[0], Optional.empty(), Optional.of(2));
        Choice choice = sampler.choose(logits(1, 3, 2, 3), 0, work);
        double total = Math.log(Math.exp(1) + Math.exp(3) + Math.exp(2) + Math.exp(3));
        assertEquals(0, choice.token());
        assertEquals(1 - total, choice.logprob().orElseThrow().chosen(), 1e-6);
        assertEquals(
                List.of(1, 3),
                choice.logprob().orElseThrow().top().stream()
                        .map(Choice.Alternative::token)
                        .toList());
        assertEquals(3 - total, choice.logprob().orElseThrow().top().getFirst().logprob(), 1e-6);
    }

    @Test
    void nothingBringsAMaskedTokenBack() {
        TokenMask onlyTwo = new TokenMask() {
            @Override
            public void mask(float[] logits, int offset, int length) {
                for (int i = 0; i < length; i++) {
                    logits[offset + i] = i == 2 ? logits[offset + i] : Float.NEGATIVE_INFINITY;
                }
            }

            @Override
            public void accept(int token) {}

            @Override
            public boolean complete() {
                return true;
            }
        };
        for (double[] p : new double[][] {{0, 1, 0, 0}, {1, 1, 0, 0}, {1, 0.5, 0, 0}, {1, 1, 3, 0}, {1, 1, 0, 0.5}}) {
            for (int seed = 0; seed < 100; seed++) {
                SamplingPlan plan = plan(p[0], p[1], (int) p[2], p[3], seed);
                Sampler sampler = new Sampler(plan, new int[0], Optional.of(onlyTwo), Optional.empty());
                assertEquals(2, choose(sampler, 9, 9, -50, 9));
                assertTrue(sampler.complete());
            }
        }
    }

    @Test
    void badInputIsNamed() {
        assertThrows(
                ArithmeticException.class,
                () -> choose(
                        new Sampler(SamplingPlan.greedy(), new int[0], Optional.empty(), Optional.empty()),
                        Float.NaN,
                        1));
        SkulkException e = assertThrows(SkulkException.class, () -> plan(-1, 1, 0, 0, 0));
        assertTrue(e.getMessage().contains("temperature"), e.getMessage());
    }

    private int choose(Sampler sampler, float... row) {
        return sampler.choose(logits(row), 0, work).token();
    }

    private static Logits logits(float... row) {
        Logits logits = new Logits();
        logits.reset(1, row.length);
        System.arraycopy(row, 0, logits.values(), 0, row.length);
        return logits;
    }

    private static SamplingPlan plan(double temperature, double topP, int topK, double minP, long seed) {
        return SamplingPlan.of(
                new Sampling(
                        Optional.of(temperature),
                        Optional.of(topP),
                        Optional.of(topK),
                        Optional.of(minP),
                        Optional.of(seed),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Map.of()),
                Sampling.DEFAULT,
                0);
    }

    private static float[] random(int length, double deviation) {
        Random random = new Random(5);
        float[] row = new float[length];
        for (int i = 0; i < length; i++) {
            row[i] = (float) (random.nextGaussian() * deviation);
        }
        return row;
    }
}
