package skulk.runner.mlx.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.RankContext;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderLoader;
import skulk.runner.mlx.model.LoadOptions;
import skulk.runner.mlx.runner.Shared;
import skulk.runner.mlx.sample.Sampler;
import skulk.runner.mlx.sample.SamplingPlan;

/** Real decoders of every architecture behind the scheduler: batches, shared prefixes and chunks change nothing. */
class GoldenServingTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama--f32",
                "qwen2--f32",
                "qwen3--f32",
                "qwen3_moe--f32",
                "gemma3_text--f32",
                "phi3--f32",
                "gpt_oss--f32"
            })
    void servedTokensEqualTheGoldenAloneTogetherAndFromTheCache(String name) throws Exception {
        Path folder = Shared.folder("golden/" + name);
        JsonObject golden = (JsonObject) Json.parse(Files.readAllBytes(folder.resolve("golden.json")));
        int[] prompt = Shared.ints(golden, "prompt");
        List<Integer> greedy =
                Arrays.stream(Shared.ints(golden, "greedy")).boxed().toList();
        LoadOptions options =
                LoadOptions.defaults().withThreads(1).withLimits(new LoadOptions.Limits(1 << 28, 1 << 26, 512));
        try (Decoder decoder = DecoderLoader.load(folder, options)) {
            int[] turn;
            Recorder cached;
            try (Scheduler scheduler = scheduler(decoder)) {
                assertEquals(greedy, generate(scheduler, prompt, greedy.size()).getFirst().tokens);
                List<Recorder> together = generate(scheduler, prompt, 120, 120, 120, greedy.size(), 120, 1);
                List<Integer> longest = together.getFirst().tokens;
                assertEquals(greedy, longest.subList(0, greedy.size()));
                for (Recorder recorder : together) {
                    assertEquals(longest.subList(0, recorder.tokens.size()), recorder.tokens);
                }
                // the next turn: the whole answer is part of the prompt
                turn = Arrays.copyOf(prompt, prompt.length + longest.size());
                for (int i = 0; i < longest.size(); i++) {
                    turn[prompt.length + i] = longest.get(i);
                }
                cached = generate(scheduler, turn, 20).getFirst();
                assertTrue(cached.tally.orElseThrow().cachedTokens() > 0, "nothing was shared");
            }
            try (Scheduler scheduler = scheduler(decoder)) {
                Recorder cold = generate(scheduler, turn, 20).getFirst();
                assertEquals(0, cold.tally.orElseThrow().cachedTokens());
                assertEquals(cold.tokens, cached.tokens);
            }
            assertEquals(0, decoder.cache().usedBytes());
        }
    }

    /** A cache of a few whole blocks serves a sequence of many, as windowed layers keep their window only. */
    @Test
    void windowedLayersLeaveRoomForLongerSequences() throws Exception {
        Path folder = Shared.folder("golden/gemma3_text--f32");
        LoadOptions wide = LoadOptions.defaults().withThreads(1);
        int[] prompt = new Random(1).ints(180, 1, 200).toArray();
        List<Integer> expected;
        try (Decoder decoder = DecoderLoader.load(folder, wide);
                Scheduler scheduler = scheduler(decoder)) {
            expected = generate(scheduler, prompt, 100).getFirst().tokens;
        }
        try (Decoder probe = DecoderLoader.load(folder, wide)) {
            long block = probe.cache().limitBytes() / probe.cache().totalBlocks();
            LoadOptions tight = wide.withLimits(new LoadOptions.Limits(1 << 28, 14 * block, 512));
            try (Decoder decoder = DecoderLoader.load(folder, tight)) {
                long longest = decoder.cache().longestSequence(16);
                assertTrue(longest > 14 * 16, "holds " + longest);
                try (Scheduler scheduler = scheduler(decoder)) {
                    assertTrue(longest >= 280, "holds " + longest);
                    Recorder alone = generate(scheduler, prompt, 100).getFirst();
                    assertEquals(expected, alone.tokens);
                    assertEquals(0, scheduler.report().integer("preempted").orElseThrow());
                }
                assertEquals(0, decoder.cache().usedBytes());
            }
        }
    }

    private static Scheduler scheduler(Decoder decoder) {
        Scheduler.Options options = new Scheduler.Options(8, 100, 100_000, 16, new ContextLimit(300, 100));
        return new Scheduler(decoder, options, RankContext.Watcher.silent(), plan -> {});
    }

    private static List<Recorder> generate(Scheduler scheduler, int[] prompt, int... lengths) throws Exception {
        List<Recorder> recorders = new ArrayList<>();
        for (int length : lengths) {
            Recorder recorder = new Recorder();
            recorders.add(recorder);
            scheduler.submit(new Job(
                    "client",
                    prompt,
                    new int[0],
                    Optional.of(length),
                    new Sampler(SamplingPlan.greedy(), prompt, Optional.empty(), Optional.empty()),
                    Set.of(),
                    recorder,
                    Optional.empty()));
        }
        for (Recorder recorder : recorders) {
            recorder.awaitEnd();
        }
        return recorders;
    }
}
