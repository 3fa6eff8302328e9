package skulk.kernel.storage;

import java.util.List;
import java.util.Optional;
import skulk.api.cluster.Memory;
import skulk.api.cluster.Shard;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/** Cards and shards for tests. */
final class Cards {
    private Cards() {}

    static ModelCard card(String model) {
        return card(model, Optional.empty(), Optional.empty());
    }

    /** @param vision id of the repository of the vision weights, which are required; @param assistant id of a drafter, which is not */
    static ModelCard card(String model, Optional<String> vision, Optional<String> assistant) {
        return new ModelCard(
                new ModelId(model),
                new Memory(1000),
                4,
                64,
                false,
                Optional.empty(),
                List.of("TextGeneration"),
                Optional.empty(),
                "",
                "",
                "",
                Optional.empty(),
                List.of("text"),
                0,
                false,
                false,
                false,
                vision.map(v -> JsonObject.of("weights_repo", v)),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                assistant.map(a -> new ModelCard.Runtime(
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(a))),
                Optional.empty());
    }

    static Shard shard(ModelCard card) {
        return Shard.PipelineShardMetadata.of(card, 0, 1, 0, card.nLayers());
    }
}
