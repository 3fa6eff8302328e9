package skulk.api;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import skulk.api.model.ModelCard;

/** Makes speculative-decoding drafters, in the rank process. */
public non-sealed interface DrafterFactory extends Extension {
    /**
     * A drafter for a loaded target, or empty where it has none for this model.
     *
     * @param companions folders of companion models by their id
     */
    Optional<Drafter> create(ModelCard card, Map<String, Path> companions, TargetAccess target);
}
