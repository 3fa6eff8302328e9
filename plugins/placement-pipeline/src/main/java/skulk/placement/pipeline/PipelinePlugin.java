package skulk.placement.pipeline;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers {@link PipelinePlacement}; has no settings. */
public final class PipelinePlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        return List.of(new PipelinePlacement());
    }
}
