package skulk.runner.mlx.shard;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import skulk.api.RankContext;
import skulk.api.Runner;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.model.CacheFullException;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.Logits;
import skulk.runner.mlx.schedule.RankSequences;

/**
 * A rank that takes the steps that rank 0 decides; nobody else talks to it. It has no queue, no sampler and no tokenizer. A lost link is told to the watcher, which
 * ends the process: without its group a rank is of no use.
 */
public final class Follower implements Runner {
    private static final System.Logger LOG = System.getLogger(Follower.class.getName());
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final Decoder decoder;
    private final RankGroup group;
    private final int rank;
    private final RankContext.Watcher watcher;
    private final LongAdder steps = new LongAdder();
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Thread thread;

    /** Takes over decoder and group, and begins to follow. */
    public Follower(Decoder decoder, RankGroup group, RankContext.Watcher watcher) {
        this.decoder = decoder;
        this.group = group;
        this.rank = group.collectives().rank();
        this.watcher = watcher;
        this.thread = Thread.ofPlatform().name("follower").start(this::loop);
    }

    /**
     * Waits until rank 0 has warmed all ranks up.
     *
     * @throws UncheckedIOException where a link failed first
     */
    public void awaitReady() throws InterruptedException {
        try {
            ready.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UncheckedIOException lost) {
                throw lost;
            }
            throw new IllegalStateException(
                    "the rank could not follow: " + e.getCause().getMessage(), e.getCause());
        }
    }

    /** Waits until the rank follows no longer: rank 0 has ended it, or a link is lost. */
    public void awaitEnd() throws InterruptedException {
        thread.join();
    }

    private void loop() {
        try (RankSequences sequences = new RankSequences(decoder)) {
            follow(sequences);
            ready.completeExceptionally(new IllegalStateException("rank 0 ended the instance"));
        } catch (RuntimeException | Error e) {
            boolean first = !ready.isDone();
            ready.completeExceptionally(e);
            if (!closing.get()) {
                LOG.log(System.Logger.Level.ERROR, "rank " + rank + " cannot follow", e);
            }
            if (!closing.get() && !first) {
                watcher.broken(e instanceof UncheckedIOException ? e.getMessage() : "a step failed: " + e);
            }
        }
    }

    private void follow(RankSequences sequences) {
        PlanChannel leader = group.leader();
        Logits none = new Logits();
        while (true) {
            switch (leader.receive()) {
                case PlanChannel.Frame.Plan(var plan) -> {
                    try {
                        sequences.run(plan, none);
                    } catch (CacheFullException | IllegalArgumentException e) {
                        // refused before anything changed, by the same rule as on rank 0, which deals with it
                        LOG.log(System.Logger.Level.DEBUG, "a step was refused: {0}", e.getMessage());
                    }
                    steps.increment();
                }
                case PlanChannel.Frame.Ready() -> ready.complete(null);
                case PlanChannel.Frame.Shutdown() -> {
                    return;
                }
            }
        }
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> events) {
        events.accept(new GenerationEvent.Failed(notTheFirst()));
        return () -> {};
    }

    @Override
    public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        throw new SkulkException(notTheFirst());
    }

    @Override
    public int countTokens(GenerationRequest request) {
        throw new SkulkException(notTheFirst());
    }

    private Problem notTheFirst() {
        return Problem.of(Kind.INTERNAL, "not_rank_0", "rank " + rank + " takes no requests; rank 0 does");
    }

    @Override
    public JsonObject report() {
        return JsonObject.builder()
                .put("steps", steps.sum())
                .put("modelType", decoder.spec().modelType())
                .put("kernels", decoder.spec().kernels())
                .put("weightBytes", decoder.spec().weightBytes())
                .put("kvBytesPerToken", decoder.spec().kvBytesPerToken())
                .put("cacheBlocks", decoder.cache().totalBlocks())
                .put("cacheBlocksFree", decoder.cache().freeBlocks())
                .put("cacheBytes", decoder.cache().usedBytes())
                .build();
    }

    /** Stops following; where a link does not let go of the thread, memory is left to the end of the process. */
    @Override
    public void close() {
        closing.set(true);
        group.close();
        thread.interrupt();
        try {
            if (thread.join(PATIENCE)) {
                decoder.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
