package skulk.storage.embedded;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers the embedded model. */
public final class EmbeddedPlugin implements Plugin {
    @Override
    public List<Extension> start(PluginContext context) {
        return List.of(new EmbeddedBackend(context.workDirectory()));
    }
}
