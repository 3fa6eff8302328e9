package skulk.runner.mlx.runner;

import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import skulk.api.Runner;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.schedule.Job;
import skulk.runner.mlx.schedule.Scheduler;

/**
 * A loaded model that serves. Prompts are rendered and tokenised on virtual threads, one per request, so that a long
 * one holds up neither the caller nor the batch; all else happens on the scheduler's thread.
 */
final class MlxRunner implements Runner {
    private static final System.Logger LOG = System.getLogger(MlxRunner.class.getName());

    private final Decoder decoder;
    private final JobMaker jobs;
    private final Scheduler scheduler;
    private final int maxPreparing;
    private final ExecutorService preparing = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger inPreparation = new AtomicInteger();

    /** Takes over the decoder, the text model of {@code jobs} and the scheduler, and closes them. */
    MlxRunner(Decoder decoder, JobMaker jobs, Scheduler scheduler, int maxPreparing) {
        this.decoder = decoder;
        this.jobs = jobs;
        this.scheduler = scheduler;
        this.maxPreparing = maxPreparing;
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> events) {
        if (inPreparation.incrementAndGet() > maxPreparing) {
            inPreparation.decrementAndGet();
            events.accept(new GenerationEvent.Failed(
                    Problem.of(Kind.OVERLOADED, "overloaded", maxPreparing + " requests are being prepared already")
                            .retryAfter(java.time.Duration.ofSeconds(1))));
            return () -> {};
        }
        PendingGeneration pending = new PendingGeneration();
        try {
            preparing.execute(() -> prepare(request, events, pending));
        } catch (RejectedExecutionException e) {
            inPreparation.decrementAndGet();
            events.accept(new GenerationEvent.Failed(
                    Problem.of(Kind.NOT_READY, "runner_closed", "the runner is shutting down")));
        }
        return pending;
    }

    private void prepare(GenerationRequest request, Consumer<GenerationEvent> events, PendingGeneration pending) {
        try {
            Job job = jobs.make(request, events);
            pending.submitted(scheduler.submit(job));
        } catch (SkulkException e) {
            events.accept(new GenerationEvent.Failed(e.problem()));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "a request could not be prepared", e);
            events.accept(new GenerationEvent.Failed(
                    Problem.of(Kind.INTERNAL, "the request could not be prepared: " + e.getMessage())));
        } finally {
            inPreparation.decrementAndGet();
        }
    }

    @Override
    public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        throw new SkulkException(
                Kind.USER_ERROR, "model " + request.model() + " generates text; it makes no embeddings");
    }

    @Override
    public int countTokens(GenerationRequest request) {
        return jobs.prompt(request).tokens().length;
    }

    @Override
    public JsonObject report() {
        return scheduler
                .report()
                .with("modelType", decoder.spec().modelType())
                .with("kernels", decoder.spec().kernels())
                .with("weightBytes", decoder.spec().weightBytes())
                .with("kvBytesPerToken", decoder.spec().kvBytesPerToken())
                .with("preparing", inPreparation.get());
    }

    @Override
    public void close() {
        preparing.shutdown();
        scheduler.close();
        preparing.close();
        decoder.close();
        jobs.text().close();
    }

    /** A request whose prompt is not ready yet: a cancellation is handed on as soon as there is something to cancel. */
    private static final class PendingGeneration implements Generation {
        private Optional<Scheduler.Ticket> ticket = Optional.empty();
        private boolean cancelled;

        synchronized void submitted(Scheduler.Ticket submitted) {
            ticket = Optional.of(submitted);
            if (cancelled) {
                submitted.cancel();
            }
        }

        @Override
        public synchronized void cancel() {
            cancelled = true;
            ticket.ifPresent(Scheduler.Ticket::cancel);
        }
    }
}
