package skulk.api;

import java.time.Duration;
import java.util.Optional;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;

/** Generates text and vectors with whatever is placed. Safe for use by several threads; methods may block. */
public interface Inference {
    /**
     * Starts a generation on the serving instance of the model with the fewest requests in flight.
     *
     * @throws skulk.api.problem.SkulkException NOT_FOUND "No instance found for model …" (runbook), USER_ERROR for what no instance could serve,
     *     OVERLOADED where the queue is full
     */
    Generating generate(GenerationRequest request);

    /**
     * Embeds texts.
     *
     * @throws skulk.api.problem.SkulkException as {@link #generate}; INTERNAL where the runner fails
     */
    EmbeddingRequest.Embeddings embed(EmbeddingRequest request);

    /** How many tokens the prompt of a request has, without generating. @throws skulk.api.problem.SkulkException as {@link #generate} */
    int countTokens(GenerationRequest request);

    /** A generation under way; read by one thread. */
    interface Generating extends AutoCloseable {
        /**
         * The next event, or empty where none came within the time. After the last event (Finished or Failed) it must not be called again.
         *
         * @throws InterruptedException where the reading thread is interrupted; close then
         */
        Optional<GenerationEvent> next(Duration patience) throws InterruptedException;

        /** Cancels the generation unless it has ended. Safe from any thread. */
        @Override
        void close();
    }
}
