package skulk.http.operator;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers {@link OperatorFeature}. */
public final class OperatorPlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        return List.of(OperatorFeature.of(context));
    }
}
