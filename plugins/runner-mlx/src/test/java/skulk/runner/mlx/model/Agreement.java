package skulk.runner.mlx.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import skulk.runner.mlx.model.LoadOptions.Shard;

/** The checker that all models go through: a sequence gets the same logits whatever happens around it. */
final class Agreement {
    private Agreement() {}

    /** Chunks, steps, company, shared prefixes and rejected drafts change no bit. @return the rows */
    static float[][] check(Decoder decoder, Golden golden) {
        float[][] whole = Golden.evaluate(decoder, golden, golden.prompt().length);
        for (int chunk : new int[] {1, 2, 5, 16, 17}) {
            same(whole, Golden.evaluate(decoder, golden, chunk), "chunks of " + chunk);
        }
        same(whole, inCompany(decoder, golden), "in company");
        same(whole, withSharedPrefix(decoder, golden), "shared prefix");
        same(whole, afterRejectedDrafts(decoder, golden, 6), "rejected drafts");
        same(whole, afterRejectedDrafts(decoder, golden, 0), "all drafts rejected");
        assertEquals(0, decoder.cache().usedBytes(), "bytes in use after all sequences are closed");
        return whole;
    }

    private static float[][] inCompany(Decoder decoder, Golden golden) {
        try (KvSequence own = decoder.cache().newSequence();
                KvSequence other = decoder.cache().newSequence();
                KvSequence third = decoder.cache().newSequence()) {
            return Golden.evaluate(decoder, golden, 5, own, List.of(other, third));
        }
    }

    private static float[][] withSharedPrefix(Decoder decoder, Golden golden) {
        Logits logits = new Logits();
        KvSequence first = decoder.cache().newSequence();
        int[] head = Arrays.copyOf(golden.prompt(), decoder.cache().blockSize() + 2);
        decoder.forward(new Batch(List.of(new Batch.Slice(first, head, 0))), logits);
        List<KvBlock> blocks = first.fullBlocks();
        blocks.forEach(KvBlock::retain);
        first.close();
        assertTrue(decoder.cache().canShare(blocks), "a prompt's full blocks can be shared");
        try (KvSequence second = decoder.cache().newSequence(blocks)) {
            blocks.forEach(KvBlock::release);
            return Golden.evaluate(decoder, golden, 4, second, List.of());
        }
    }

    private static float[][] afterRejectedDrafts(Decoder decoder, Golden golden, int kept) {
        Logits logits = new Logits();
        try (KvSequence sequence = decoder.cache().newSequence()) {
            int[] wrong = Arrays.copyOf(golden.prompt(), golden.prompt().length);
            Arrays.fill(wrong, kept, wrong.length, 9);
            decoder.forward(new Batch(List.of(new Batch.Slice(sequence, wrong, wrong.length))), logits);
            assertTrue(sequence.canTruncate(kept), "drafts can be taken back");
            sequence.truncate(kept);
            return Golden.evaluate(decoder, golden, 30, sequence, List.of());
        }
    }

    private static void same(float[][] expected, float[][] actual, String what) {
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], actual[i], what + ", row " + i);
        }
    }

    /** The logits of a model split over ranks. */
    static float[][] split(Golden golden, int ranks, IntFunction<Shard> shards) throws Exception {
        return split(golden, ranks, shards, LoadOptions.Kernels.AUTO);
    }

    static float[][] split(Golden golden, int ranks, IntFunction<Shard> shards, LoadOptions.Kernels kernels)
            throws Exception {
        LocalRanks links = new LocalRanks(ranks);
        List<Callable<float[][]>> work = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            LoadOptions options = LoadOptions.defaults()
                    .withThreads(1)
                    .withKernels(kernels)
                    .withShard(shards.apply(rank), links.rank(rank));
            work.add(() -> {
                try (Decoder decoder = DecoderLoader.load(golden.folder(), options)) {
                    return Golden.evaluate(decoder, golden, 9);
                }
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
            List<Future<float[][]>> results = threads.invokeAll(work);
            for (Future<float[][]> result : results) {
                result.get();
            }
            return results.getFirst().get();
        }
    }
}
