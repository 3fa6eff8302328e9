package skulk.runner.mlx.runner;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.sample.Choice;
import skulk.runner.mlx.sample.Sampler;
import skulk.runner.mlx.sample.SamplingPlan;
import skulk.runner.mlx.schedule.End;
import skulk.runner.mlx.schedule.Job;
import skulk.runner.mlx.schedule.Scheduler;
import skulk.runner.mlx.schedule.SequenceOutput;
import skulk.runner.mlx.schedule.Tally;

/** Generates until it no longer gets faster, so that the first request finds compiled code and touched memory. */
record WarmUp(Decoder decoder, Scheduler scheduler, int context) {
    private static final System.Logger LOG = System.getLogger(WarmUp.class.getName());
    private static final int PROMPT = 96;
    private static final int OUTPUT = 32;
    /** Tokens of the one chat. */
    private static final int ANSWER = 4;

    private static final int ROUNDS = 8;
    private static final long MOST_NANOS = 3_000_000_000L;
    /** A round that gains less than this is the last. */
    private static final double GAIN = 0.9;

    void run() {
        int output = Math.min(OUTPUT, context / 4);
        int prompt = Math.min(PROMPT, context - output - 1);
        if (output < 1 || prompt < 1) {
            return;
        }
        long start = System.nanoTime();
        long fastest = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS && System.nanoTime() - start < MOST_NANOS; round++) {
            long took = generate(prompt, output, round);
            if (took > fastest * GAIN) {
                return;
            }
            fastest = Math.min(fastest, took);
        }
    }

    private long generate(int promptTokens, int outputTokens, int round) {
        int[] prompt =
                new Random(round).ints(promptTokens, 0, decoder.spec().vocab()).toArray();
        SamplingPlan plan =
                round % 2 == 0 ? SamplingPlan.greedy() : SamplingPlan.of(Sampling.DEFAULT, Sampling.DEFAULT, round);
        Done done = new Done();
        long start = System.nanoTime();
        scheduler.submit(new Job(
                "warm-up",
                prompt,
                new int[0],
                Optional.of(outputTokens),
                new Sampler(plan, prompt, Optional.empty(), Optional.of(1)),
                Set.of(),
                done,
                Optional.empty()));
        done.await();
        return System.nanoTime() - start;
    }

    /** One chat from template to text, for all that lies around the engine: loading that code takes longer than a short answer. */
    static void converse(MlxRunner runner, ModelId model) {
        CountDownLatch ended = new CountDownLatch(1);
        runner.submit(chat(model), event -> {
            if (event instanceof GenerationEvent.Failed(Problem problem)) {
                LOG.log(System.Logger.Level.DEBUG, "the warm-up's chat failed: {0}", problem.message());
                ended.countDown(); // a model without a chat template serves all the same
            } else if (event instanceof GenerationEvent.Finished) {
                ended.countDown();
            }
        });
        await(ended);
    }

    private static GenerationRequest chat(ModelId model) {
        return new GenerationRequest(
                new CommandId("warm-up"),
                model,
                new GenerationRequest.Prompt.Conversation(
                        List.of(Message.of("user", "Hello, who are you?")),
                        List.of(),
                        new GenerationRequest.ToolChoice.Auto(),
                        true,
                        Map.of()),
                Sampling.DEFAULT,
                new GenerationRequest.OutputShape.FreeText(),
                Optional.of(ANSWER),
                List.of("###"),
                Optional.empty(),
                GenerationRequest.ReasoningWish.NONE,
                "warm-up",
                List.of());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the load was abandoned", e);
        }
    }

    private static final class Done implements SequenceOutput {
        private final CountDownLatch latch = new CountDownLatch(1);
        private volatile Optional<Problem> problem = Optional.empty();

        /** @throws SkulkException where the engine cannot even do this */
        void await() {
            WarmUp.await(latch);
            problem.ifPresent(p -> {
                throw new SkulkException(p);
            });
        }

        @Override
        public void admitted(int promptTokens, int cachedTokens) {}

        @Override
        public void prefilled(int tokens, int total) {}

        @Override
        public Optional<End> token(Choice choice) {
            return Optional.empty();
        }

        @Override
        public void committed(List<Integer> tokens) {}

        @Override
        public void ended(End end, Tally tally) {
            latch.countDown();
        }

        @Override
        public void failed(Problem failure) {
            problem = Optional.of(failure);
            latch.countDown();
        }
    }
}
