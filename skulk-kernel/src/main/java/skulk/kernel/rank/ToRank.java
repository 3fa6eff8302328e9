package skulk.kernel.rank;

import java.util.List;
import java.util.Map;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.Shard;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.JsonObject;
import skulk.api.model.FilePart;

/** What the node tells a rank process, one JSON frame each. */
public sealed interface ToRank {
    /**
     * First and once: what the rank is.
     *
     * @param files folder of the checkpoint
     * @param companions folders of companion models by id
     * @param settings for {@link skulk.api.RankContext#settings()} and the rank's own deadlines
     * @param plugins folders or jars of the plugins that offer runners and drafters
     * @param sections the plugins' sections of the configuration
     * @param home where plugins may write
     */
    record Begin(
            Instance instance,
            Shard shard,
            String files,
            List<Part> partial,
            Map<String, String> companions,
            Map<String, String> settings,
            List<String> plugins,
            JsonObject sections,
            String home)
            implements ToRank {}

    /** A file that is on this machine in part, see {@link skulk.api.RankContext.Partial}. */
    record Part(String location, FilePart present) {}

    record Connect(List<Peer> peers) implements ToRank {}

    /** @param addresses to try, best first. @param key the peer's one-time secret */
    record Peer(int rank, List<String> addresses, int port, byte[] key) {}

    record Load() implements ToRank {}

    record Submit(GenerationRequest request) implements ToRank {}

    record Cancel(CommandId command) implements ToRank {}

    record Embed(long call, EmbeddingRequest request) implements ToRank {}

    record Count(long call, GenerationRequest request) implements ToRank {}

    /** Asks for {@link skulk.api.Runner#report()}. */
    record Report(long call) implements ToRank {}

    record Shutdown() implements ToRank {}
}
