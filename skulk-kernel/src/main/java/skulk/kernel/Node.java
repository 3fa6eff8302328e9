package skulk.kernel;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import skulk.api.cluster.NodeId;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;
import skulk.kernel.http.HttpServer;
import skulk.kernel.node.Home;
import skulk.kernel.node.HomeLock;
import skulk.kernel.node.Installation;
import skulk.kernel.node.NodeContext;
import skulk.kernel.node.Services;
import skulk.kernel.plugin.Offers;
import skulk.kernel.plugin.PluginEnvironment;
import skulk.kernel.plugin.Plugins;
import skulk.kernel.plugin.Registry;
import skulk.kernel.security.FileKeyStore;
import skulk.kernel.security.KeyStore;
import skulk.kernel.security.MeteredInference;

/**
 * A running node: constructs everything and orders its life, and holds no logic of its own. Start: lock the home; the port is bound while the plugins start;
 * the cluster is joined; routes are mounted last. Stop is the reverse.
 */
public final class Node implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Node.class.getName());

    private final HomeLock lock;
    private final Registry registry;
    private final Plugins plugins;
    private final Services services;
    private final Optional<HttpServer> http;
    private final ProcessControl control;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * What a node is started from.
     *
     * @param services makes the cluster half of the kernel
     */
    public record Setup(
            Configuration configuration,
            Home home,
            Installation installation,
            Function<NodeContext, Services> services) {}

    private Node(HomeLock lock, Parts parts, Optional<HttpServer> http) {
        this.lock = lock;
        this.registry = parts.registry;
        this.plugins = parts.plugins;
        this.services = parts.services;
        this.control = parts.control;
        this.http = http;
    }

    /** The parts that exist before anything is started. */
    private record Parts(Registry registry, Plugins plugins, Services services, ProcessControl control) {
        static Parts make(Setup setup) {
            Registry registry = new Registry();
            KeyStore keys = FileKeyStore.open(
                    setup.configuration().get(Keys.API_KEYS), setup.home().data());
            ProcessControl control = new ProcessControl(setup.configuration(), keys);
            Services services = setup.services()
                    .apply(new NodeContext(
                            NodeId.random(),
                            setup.configuration(),
                            setup.home(),
                            setup.installation(),
                            registry,
                            control));
            Optional<Path> builtIn = setup.installation().plugins();
            PluginEnvironment environment = new PluginEnvironment(
                    setup.configuration(),
                    setup.home(),
                    services.cluster(),
                    new MeteredInference(services.inference(), control.quotas()),
                    services.telemetry(),
                    file -> builtIn.map(file::startsWith).orElse(false));
            List<Path> directories = new ArrayList<>(builtIn.stream().toList());
            directories.add(ownPlugins(setup));
            Plugins plugins = new Plugins(Plugins.Source.directories(directories), environment, registry);
            control.plugins(plugins);
            return new Parts(registry, plugins, services, control);
        }

        private static Path ownPlugins(Setup setup) {
            String named = setup.configuration().get(Keys.PLUGINS_DIRECTORY);
            return named.isEmpty() ? setup.home().data().resolve("plugins.d") : Path.of(named);
        }
    }

    /**
     * Starts a node; returns once it answers.
     *
     * @throws IOException where the home, the port, a required plugin or the membership does not allow it; the message is one line for the operator
     */
    public static Node start(Setup setup) throws IOException {
        setup.home().create();
        HomeLock lock = HomeLock.take(setup.home());
        Parts parts = Parts.make(setup);
        Optional<HttpServer> http = Optional.empty();
        try {
            CompletableFuture<Void> started = CompletableFuture.runAsync(
                    parts.plugins::start,
                    task -> Thread.ofVirtual().name("plugins").start(task));
            if (setup.configuration().get(Keys.API_ENABLED)) {
                http = bind(setup.configuration(), parts.control.keys(), started);
            }
            parts.control.http(http);
            started.join();
            Optional<String> missing = parts.plugins.missing();
            if (missing.isPresent()) {
                throw new IOException(missing.get());
            }
            parts.services.start();
            Node node = new Node(lock, parts, http);
            node.open();
            return node;
        } catch (IOException | RuntimeException e) {
            http.ifPresent(HttpServer::close);
            parts.services.close();
            parts.plugins.close();
            lock.close();
            if (e instanceof CompletionException wrapped && wrapped.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private static Optional<HttpServer> bind(
            Configuration configuration, KeyStore keys, CompletableFuture<Void> plugins) throws IOException {
        try {
            return Optional.of(HttpServer.start(configuration, keys));
        } catch (IOException | RuntimeException e) {
            plugins.join(); // they must be there to be stopped
            throw e;
        }
    }

    private void open() {
        http.ifPresent(server -> {
            server.mount(registry.offers());
            registry.onChange(server::mount);
        });
        control.stopper(this::close);
    }

    /** The address of the HTTP API from this machine; empty where it is off. */
    public Optional<String> url() {
        return http.map(HttpServer::url);
    }

    /** What the plugins offer. */
    public Offers offers() {
        return registry.offers();
    }

    /** Blocks until the node has stopped. */
    public void awaitStop() throws InterruptedException {
        control.awaitStop();
    }

    /** Unmounts, leaves the cluster, stops the plugins, lets the home go. Safe to call more than once. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        http.ifPresent(HttpServer::close);
        services.close();
        plugins.close();
        try {
            lock.close();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "The home's lock could not be released", e);
        }
        control.stopped();
    }
}
