package skulk.dashboard;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers {@link DashboardFeature}; has no settings. */
public final class DashboardPlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        return List.of(new DashboardFeature(Assets.load()));
    }
}
