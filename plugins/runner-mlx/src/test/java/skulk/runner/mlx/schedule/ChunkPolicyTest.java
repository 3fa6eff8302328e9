package skulk.runner.mlx.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.runner.mlx.schedule.ChunkPolicy.Rows;

/** A long prompt beside running streams, on machines whose steps take what a formula says. */
class ChunkPolicyTest {
    private static final int PROMPT = 4000;

    /**
     * @param step of one stream, milliseconds
     * @param stream what each further stream adds
     * @param row a prompt token at position 0
     * @param far what a position of 1,000 adds to that
     * @param noise the share by which times vary up and down
     */
    private record Machine(double step, double stream, double row, double far, double noise, Random random) {
        double plain(int streams) {
            return step + (streams - 1) * stream;
        }

        long nanos(int streams, int from, int tokens) {
            double base = streams == 0 ? 0 : plain(streams);
            double prompt = tokens * (row + far * (from + tokens / 2.0) / 1000);
            return (long) ((base + prompt) * 1e6 * (1 + noise * (2 * random.nextDouble() - 1)));
        }
    }

    /** The Llama-1B shape on two cores. */
    private static Machine twoCores(double noise) {
        return new Machine(24, 12, 7.6, 0.5, noise, new Random(1));
    }

    private static Machine sixteenCores(double noise) {
        return new Machine(11, 2.5, 2.2, 0.2, noise, new Random(2));
    }

    /** Longest step of a whole prompt, against a plain step. */
    private static double stall(Machine machine, int streams) {
        ChunkPolicy policy = new ChunkPolicy(512);
        for (int i = 0; i < 20; i++) {
            policy.observe(new Rows(streams, 0, 0), machine.nanos(streams, 0, 0));
        }
        double worst = 0;
        for (int done = 0; done < PROMPT; ) {
            int tokens = policy.tokens(streams);
            long nanos = machine.nanos(streams, done, tokens);
            policy.observe(new Rows(streams, 0, tokens), nanos);
            worst = Math.max(worst, nanos / 1e6 / machine.plain(streams));
            done += tokens;
        }
        return worst;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 8, 16})
    void aLongPromptHoldsStreamsForTwoStepsAtMost(int streams) {
        assertTrue(stall(twoCores(0), streams) <= 2, "two cores: " + stall(twoCores(0), streams));
        assertTrue(stall(sixteenCores(0), streams) <= 2, "sixteen cores: " + stall(sixteenCores(0), streams));
        assertTrue(stall(twoCores(0.1), streams) <= 2.2, "noise: " + stall(twoCores(0.1), streams));
    }

    /** Three tokens, the least there is, cost nearly as much as a step of a single stream on two cores, later more. */
    @Test
    void besideOneStreamTheLeastChunkSetsTheLimit() {
        assertTrue(stall(twoCores(0), 1) < 2.3, "two cores: " + stall(twoCores(0), 1));
        assertTrue(stall(sixteenCores(0), 1) <= 2, "sixteen cores: " + stall(sixteenCores(0), 1));
    }

    @Test
    void aPromptGetsMostOfASecondStepAndNotLess() {
        Machine machine = sixteenCores(0);
        ChunkPolicy policy = new ChunkPolicy(512);
        policy.observe(new Rows(8, 0, 0), machine.nanos(8, 0, 0));
        for (int i = 0; i < 40; i++) {
            int tokens = policy.tokens(8);
            policy.observe(new Rows(8, 0, tokens), machine.nanos(8, 0, tokens));
        }
        double share = policy.tokens(8) * 2.2 / machine.plain(8);
        assertTrue(share > 0.45 && share <= 0.75, "share " + share);
    }

    @Test
    void aloneAPromptIsCutIntoWholeBlocksOfHalfASecond() {
        Machine machine = twoCores(0);
        ChunkPolicy policy = new ChunkPolicy(512);
        assertEquals(64, policy.tokens(0));
        for (int i = 0; i < 20; i++) {
            int tokens = policy.tokens(0);
            policy.observe(new Rows(0, 0, tokens), machine.nanos(0, 0, tokens));
        }
        assertEquals(64, policy.tokens(0));
        assertEquals(16, policy(30).tokens(0));
        assertEquals(12, policy(41).tokens(0));
    }

    private static ChunkPolicy policy(double rowMillis) {
        ChunkPolicy policy = new ChunkPolicy(512);
        policy.observe(new Rows(0, 0, 64), (long) (64 * rowMillis * 1e6));
        return policy;
    }

    /** Streams end while a prompt is read: plain steps become shorter, and nobody measures one. */
    @Test
    void fewerStreamsThanWereMeasuredGetAShorterSecondStep() {
        Machine machine = twoCores(0);
        ChunkPolicy policy = new ChunkPolicy(512);
        policy.observe(new Rows(8, 0, 0), machine.nanos(8, 0, 0));
        policy.observe(new Rows(8, 0, 8), machine.nanos(8, 0, 8));
        double took = machine.nanos(2, 0, policy.tokens(2)) / 1e6;
        assertTrue(took <= 2 * machine.plain(2), "takes " + took);
    }
}
