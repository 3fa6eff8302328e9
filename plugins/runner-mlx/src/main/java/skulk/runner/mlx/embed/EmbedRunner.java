package skulk.runner.mlx.embed;

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

/** An embedding model as a runner: it embeds and generates nothing. */
public final class EmbedRunner implements Runner {
    private final Embedder embedder;
    private final RankContext.Watcher watcher;
    private int inFlight;

    /**
     * @param embedder closed with this runner
     * @param watcher hears when work begins and ends
     */
    public EmbedRunner(Embedder embedder, RankContext.Watcher watcher) {
        this.embedder = embedder;
        this.watcher = watcher;
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> events) {
        events.accept(new GenerationEvent.Failed(refusal(request)));
        return () -> {};
    }

    @Override
    public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        began();
        try {
            return embedder.embed(request);
        } finally {
            ended();
        }
    }

    private synchronized void began() {
        if (inFlight++ == 0) {
            watcher.running(true);
        }
    }

    private synchronized void ended() {
        if (--inFlight == 0) {
            watcher.running(false);
        }
    }

    @Override
    public int countTokens(GenerationRequest request) {
        throw new SkulkException(refusal(request));
    }

    private static Problem refusal(GenerationRequest request) {
        return Problem.of(Kind.USER_ERROR, "model " + request.model() + " makes embeddings; it generates no text");
    }

    @Override
    public JsonObject report() {
        return embedder.report();
    }

    @Override
    public void close() {
        embedder.close();
    }
}
