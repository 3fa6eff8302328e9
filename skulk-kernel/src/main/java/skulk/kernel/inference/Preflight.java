package skulk.kernel.inference;

import java.util.Optional;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.generation.GenerationRequest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** What can be refused before any rank hears of it (contract section 3, "Checks before streaming"). */
final class Preflight {
    private Preflight() {}

    static void check(GenerationRequest request, ClusterView view) {
        Optional<Integer> maxTokens = request.maxTokens();
        if (maxTokens.isEmpty()) {
            return;
        }
        if (maxTokens.get() <= 0) {
            throw new SkulkException(
                    Problem.Kind.USER_ERROR, "max_tokens (max_output_tokens) must be a positive integer");
        }
        Optional<Integer> limit = view.instancesOf(request.model())
                .flatMap(i -> i.contextTokenLimit().stream())
                .max(Integer::compare);
        boolean unknown = view.instancesOf(request.model())
                .map(Instance::contextTokenLimit)
                .anyMatch(Optional::isEmpty);
        if (limit.isPresent() && !unknown && maxTokens.get() >= limit.get()) {
            throw new SkulkException(Problem.of(
                    Problem.Kind.USER_ERROR,
                    "context_length_exceeded",
                    ("context_length_exceeded: max_tokens (%d) cannot fit within this model's usable context limit of %d"
                                    + " tokens (the prompt needs room as well); ask for fewer tokens or place the model"
                                    + " where more memory is free")
                            .formatted(maxTokens.get(), limit.get())));
        }
    }
}
