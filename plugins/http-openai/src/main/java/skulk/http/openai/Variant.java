package skulk.http.openai;

import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.Sampling;

/** Further generations of one request. */
final class Variant {
    private Variant() {}

    /** The same request with an id of its own, another prompt, and its seed, if it has one, counted up. */
    static GenerationRequest of(GenerationRequest base, Prompt prompt, int number) {
        Sampling s = base.sampling();
        Optional<Long> seed = s.seed().map(value -> value + number);
        Sampling sampling = new Sampling(
                s.temperature(),
                s.topP(),
                s.topK(),
                s.minP(),
                seed,
                s.repetitionPenalty(),
                s.repetitionContextSize(),
                s.frequencyPenalty(),
                s.presencePenalty(),
                s.logitBias());
        return new GenerationRequest(
                CommandId.random(),
                base.model(),
                prompt,
                sampling,
                base.output(),
                base.maxTokens(),
                base.stop(),
                base.logprobs(),
                base.reasoning(),
                base.client(),
                base.committed());
    }
}
