package skulk.kernel.cluster;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import skulk.api.RankContext.Partial;
import skulk.api.cluster.Shard;
import skulk.api.model.ModelId;

/** Where ranks get their files from. Safe for use by several threads. */
public interface ModelFiles {
    /** Begins to make a shard's model loadable here; how that goes is told as {@link skulk.api.cluster.Download}s. Returns at once. */
    void ensure(Shard shard);

    /** What of a shard's model can be loaded now. Reads the disk. */
    Optional<Loadable> ready(Shard shard);

    /** A model has no rank here any more. */
    void release(ModelId model);

    /**
     * @param partial the files that are here in part, by name
     * @param companions folders by model id
     */
    record Loadable(Path folder, Map<String, Partial> partial, Map<String, Path> companions) {}
}
