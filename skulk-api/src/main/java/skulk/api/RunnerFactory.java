package skulk.api;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.EngineSpeed;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.Shard;
import skulk.api.model.FilePart;
import skulk.api.model.ModelCard;

/** Loads models. {@link #supports} is asked in the node process, {@link #load} in the rank process. */
public non-sealed interface RunnerFactory extends Extension {
    /** Why the model cannot run on such a node, or empty where it can. Cheap and free of side effects. */
    Optional<String> supports(ModelCard card, NodeInfo node);

    /**
     * Which parts of its files a rank of this shard reads, so that its node fetches no others. Asked in the node process; may read headers, never weights.
     *
     * @return the files of which a part suffices; every other file is needed whole
     * @throws IOException where the files cannot be read, or not be understood
     */
    default List<FilePart> share(Shard shard, IncomingModel files) throws IOException, InterruptedException {
        return List.of();
    }

    /**
     * Measures this engine on this machine, on the calling thread. Asked once, in a process of its own that has nothing else to do, takes what others leave of the processor and is ended after three minutes.
     *
     * @param threads that a rank here computes with
     * @return empty where the engine does not tell; forecasts are then made from the memory's bandwidth
     */
    default Optional<EngineSpeed> measure(int threads) {
        return Optional.empty();
    }

    /**
     * Loads the rank's share and warms it up, on the calling thread; an interrupt abandons the load. Called once per rank process.
     *
     * @throws Exception with a message that names the file, tensor or number at fault
     */
    Runner load(RankContext rank) throws Exception;
}
