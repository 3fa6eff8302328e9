package skulk.storage.store;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** Serves the store where this node hosts it, reads from it elsewhere, and offers its endpoints everywhere. */
public final class StorePlugin implements Plugin {
    /** Longest silence of the host before a request is given up; the host itself gives up a little earlier. */
    private static final Duration READ = Duration.ofSeconds(30);

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Optional<StoreServer> server = Optional.empty();

    @Override
    public List<Extension> start(PluginContext context) throws IOException {
        Optional<StoreSettings> configured = StoreSettings.of(
                context.settings(), context.cluster().view().self().value());
        if (configured.isEmpty()) {
            return List.of(new StoreFeature(Optional.empty()));
        }
        StoreSettings settings = configured.get();
        if (settings.path().isPresent()) {
            Files.createDirectories(settings.path().get());
            LocalStore store = new LocalStore(settings.path().get(), context.cluster());
            server = Optional.of(new StoreServer(store, context.cluster().tls(), settings.port(), PATIENCE));
            return List.of(new HostBackend(store), new StoreFeature(Optional.of(store)));
        }
        RemoteStore store = new RemoteStore(
                () -> StoreAddress.of(settings, context.cluster()::view),
                context.cluster().tls(),
                READ);
        return List.of(new ClientBackend(store), new StoreFeature(Optional.of(store)));
    }

    /** The port of the server, where this node hosts the store. */
    Optional<Integer> port() {
        return server.map(StoreServer::port);
    }

    @Override
    public void stop() {
        server.ifPresent(StoreServer::close);
        server = Optional.empty();
    }
}
