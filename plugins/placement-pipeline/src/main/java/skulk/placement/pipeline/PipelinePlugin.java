package skulk.placement.pipeline;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Offers {@link PipelinePlacement}; see its setting. */
public final class PipelinePlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        String layers = context.settings()
                .text(
                        "layers",
                        "memory",
                        "what layers are given out by: memory, or speed, so that all stages take the same time");
        return switch (layers) {
            case "memory" -> List.of(new PipelinePlacement(false));
            case "speed" -> List.of(new PipelinePlacement(true));
            default ->
                throw new SkulkException(
                        Problem.Kind.USER_ERROR,
                        "plugins.placement-pipeline.layers must be memory or speed, not '" + layers + "'");
        };
    }
}
