package skulk.runner.mlx.runner;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers the runner for MLX and Hugging Face checkpoints. */
public final class MlxPlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        return List.of(new MlxRunnerFactory());
    }
}
