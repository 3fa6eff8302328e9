package skulk.membership.jgroups;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers membership {@code jgroups}. */
public final class JGroupsPlugin implements Plugin {
    private JGroupsLog log;

    @Override
    public List<? extends Extension> start(PluginContext context) {
        log = new JGroupsLog();
        return List.of(new JGroupsMembership(Network.of(context.settings()), context.workDirectory()));
    }

    @Override
    public void stop() {
        log = null;
    }
}
