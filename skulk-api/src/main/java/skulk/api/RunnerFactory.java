package skulk.api;

import java.util.Optional;
import skulk.api.cluster.NodeInfo;
import skulk.api.model.ModelCard;

/** Loads models. {@link #supports} is asked in the node process, {@link #load} in the rank process. */
public non-sealed interface RunnerFactory extends Extension {
    /** Why the model cannot run on such a node, or empty where it can. Cheap and free of side effects. */
    Optional<String> supports(ModelCard card, NodeInfo node);

    /**
     * Loads the rank's share and warms it up, on the calling thread; an interrupt abandons the load. Called once per rank process.
     *
     * @throws Exception with a message that names the file, tensor or number at fault
     */
    Runner load(RankContext rank) throws Exception;
}
