package skulk.kernel.storage;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import skulk.api.RankContext.Partial;

/**
 * A model that can be loaded now.
 *
 * @param folder the checkpoint's folder
 * @param partial files that are here in part, as far as the asked shard needs them, by name
 * @param inPlace whether the folder belongs to a source and is loaded without a copy; such folders are never evicted
 * @param companions folders of the companions that are there, by model id
 * @param warnings companions that are missing although the model can serve without them
 */
public record Staged(
        Path folder,
        Map<String, Partial> partial,
        boolean inPlace,
        Map<String, Path> companions,
        List<String> warnings) {
    public Staged {
        partial = Map.copyOf(partial);
        companions = Map.copyOf(companions);
        warnings = List.copyOf(warnings);
    }
}
