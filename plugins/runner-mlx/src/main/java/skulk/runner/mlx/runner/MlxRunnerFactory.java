package skulk.runner.mlx.runner;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import skulk.api.IncomingModel;
import skulk.api.RankContext;
import skulk.api.Runner;
import skulk.api.RunnerFactory;
import skulk.api.cluster.EngineSpeed;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.Shard;
import skulk.api.model.FilePart;
import skulk.api.model.ModelCard;
import skulk.runner.mlx.model.EngineProbe;

/**
 * Says which cards this engine runs, and loads them. The node process asks without the vector module, so nothing here
 * touches kernels before {@link #load}.
 */
public final class MlxRunnerFactory implements RunnerFactory {
    private static final System.Logger LOG = System.getLogger(MlxRunnerFactory.class.getName());

    @Override
    public String name() {
        return "mlx";
    }

    @Override
    public Optional<String> supports(ModelCard card, NodeInfo node) {
        if (card.ggufFile().isPresent()) {
            return Optional.of(card.modelId() + " is a GGUF model ("
                    + card.ggufFile().get() + "); this engine runs safetensors checkpoints");
        }
        if (!card.tasks().isEmpty() && !card.tasks().contains("TextGeneration") && !card.embeds()) {
            return Optional.of(card.modelId() + " is for " + String.join(", ", card.tasks())
                    + "; this engine generates and embeds text");
        }
        return Optional.empty();
    }

    @Override
    public List<FilePart> share(Shard shard, IncomingModel files) throws IOException, InterruptedException {
        return ShardFiles.of(shard, files);
    }

    @Override
    public Optional<EngineSpeed> measure(int threads) {
        try {
            return Optional.of(EngineProbe.measure(threads));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "the engine is not measured: {0}", e.getMessage());
            return Optional.empty();
        }
    }

    @Override
    public Runner load(RankContext rank) throws Exception {
        return MlxLoader.load(rank);
    }
}
