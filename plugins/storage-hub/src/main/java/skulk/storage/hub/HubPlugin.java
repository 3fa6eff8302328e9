package skulk.storage.hub;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Offers the hub as a source of models, and its search. */
public final class HubPlugin implements Plugin {
    private final Map<String, String> environment;
    private Optional<HubClient> client = Optional.empty();

    public HubPlugin() {
        this(System.getenv());
    }

    HubPlugin(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    @Override
    public List<Extension> start(PluginContext context) {
        HubSettings settings = HubSettings.of(context.settings(), environment);
        HubClient made = new HubClient(settings);
        client = Optional.of(made);
        return List.of(new HubBackend(settings, made), new HubSearch(settings, made));
    }

    @Override
    public void stop() {
        client.ifPresent(HubClient::close);
        client = Optional.empty();
    }
}
