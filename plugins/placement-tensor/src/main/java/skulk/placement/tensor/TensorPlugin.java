package skulk.placement.tensor;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers {@link TensorPlacement}; has no settings. */
public final class TensorPlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        return List.of(new TensorPlacement());
    }
}
