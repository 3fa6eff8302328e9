package skulk.runner.mlx.embed;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.EmbeddingRequest.Embeddings;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.text.Tokenizer;

/** Checks and tokenises on the caller's thread, computes on the loop's. */
final class EncoderEmbedder implements Embedder {
    private final JsonObject constants;
    private final Tokenizer tokenizer;
    private final TextTokens tokens;
    private final Dimensions dimensions;
    private final BatchLoop loop;

    /** Takes over the tokenizer and the loop and closes them. */
    EncoderEmbedder(
            JsonObject constants, Tokenizer tokenizer, TextTokens tokens, Dimensions dimensions, BatchLoop loop) {
        this.constants = constants;
        this.tokenizer = tokenizer;
        this.tokens = tokens;
        this.dimensions = dimensions;
        this.loop = loop;
    }

    @Override
    public Embeddings embed(EmbeddingRequest request) {
        if (request.inputs().isEmpty()) {
            throw new SkulkException(Kind.USER_ERROR, "input must not be empty");
        }
        int length = dimensions.choose(request.dimensions());
        List<int[]> texts = tokenise(request);
        int count = texts.stream().mapToInt(t -> t.length).reduce(0, Math::addExact);
        return new Embeddings(
                await(loop.submit(texts)).stream().map(v -> finish(v, length)).toList(), count);
    }

    private List<int[]> tokenise(EmbeddingRequest request) {
        try {
            List<int[]> texts = new ArrayList<>();
            for (String text : request.inputs()) {
                texts.add(tokens.of(text, texts.size(), request.truncate()));
            }
            return texts;
        } catch (IllegalStateException e) {
            // the tokenizer's library refuses work once it is closed
            throw loop.isClosed() ? BatchLoop.closedProblem() : e;
        }
    }

    private static float[] finish(float[] vector, int length) {
        float[] unit = Vectors.unit(vector, length);
        for (float value : unit) {
            if (!Float.isFinite(value)) {
                throw new SkulkException(Kind.INTERNAL, "the model computed a value that is not a number");
            }
        }
        return unit;
    }

    private static List<float[]> await(CompletableFuture<List<float[]>> result) {
        try {
            return result.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof SkulkException known
                    ? new SkulkException(known.problem(), known)
                    : new SkulkException(Kind.INTERNAL, "the batch could not be computed: " + e.getCause());
        } catch (InterruptedException e) {
            result.cancel(false);
            Thread.currentThread().interrupt();
            throw new SkulkException(Kind.INTERNAL, "the request was interrupted");
        }
    }

    @Override
    public int maxTokens() {
        return tokens.maxTokens();
    }

    @Override
    public int dimensions() {
        return dimensions.width();
    }

    @Override
    public JsonObject report() {
        return constants
                .with("batches", loop.batches())
                .with("texts", loop.texts())
                .with("tokens", loop.tokens());
    }

    @Override
    public void close() {
        loop.close();
        tokenizer.close();
    }
}
