package skulk.kernel.storage;

import java.io.IOException;
import java.util.List;
import skulk.api.IncomingModel;
import skulk.api.cluster.Shard;
import skulk.api.model.FilePart;

/** Knows which parts of its files a shard needs; see {@link skulk.api.RunnerFactory#share}. */
@FunctionalInterface
public interface ShareSource {
    /** Needs all files whole. */
    ShareSource WHOLE = (shard, files) -> List.of();

    List<FilePart> share(Shard shard, IncomingModel files) throws IOException, InterruptedException;
}
