package skulk.membership.solo;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers {@link SoloMembership}. */
public final class SoloPlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        return List.of(new SoloMembership());
    }
}
