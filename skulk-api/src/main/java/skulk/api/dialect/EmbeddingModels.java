package skulk.api.dialect;

import java.util.Optional;
import skulk.api.Cluster;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/** What a model's card says about embedding with it. */
public final class EmbeddingModels {
    /** The capability of models whose vectors may be cut short (Matryoshka training, arXiv:2205.13147). */
    public static final String SHORTENABLE = "matryoshka";

    private EmbeddingModels() {}

    /**
     * Checks in the order of contract section 4. A model without a card passes: whether it is placed is for inference to say.
     *
     * @param shortened whether {@code dimensions} was given
     * @throws SkulkException USER_ERROR naming the field or the model
     */
    public static void check(Cluster cluster, ModelId model, boolean shortened) {
        Optional<ModelCard> card = cluster.call(new Operation.ListModels()).stream()
                .map(Operation.CatalogEntry::card)
                .filter(c -> c.modelId().equals(model))
                .findFirst();
        if (shortened
                && card.filter(c -> c.capabilities().contains(SHORTENABLE)).isEmpty()) {
            throw new SkulkException(Kind.USER_ERROR, "'dimensions' is not supported by model " + model);
        }
        if (card.isPresent() && !card.get().embeds()) {
            throw new SkulkException(Kind.USER_ERROR, "Model %s is not an embedding model".formatted(model));
        }
    }
}
