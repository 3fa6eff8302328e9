package skulk.kernel.plugin;

import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import skulk.api.Extension;
import skulk.api.HttpFeature;
import skulk.api.Plugin;
import skulk.api.http.Route;
import skulk.api.operation.Operation.PluginStatus;
import skulk.kernel.config.Keys;

/**
 * One plugin found on disk and its life: FOUND → RESOLVED → STARTED → DRAINING → STOPPED, or FAILED. All code of the plugin's life cycle runs on one daemon
 * thread of its own, so that a plugin that hangs costs its deadline and nothing else. Driven by {@link Plugins} alone.
 */
final class PluginHandle {
    private static final System.Logger LOG = System.getLogger(PluginHandle.class.getName());

    /** Where in its life a plugin is. */
    enum State {
        FOUND,
        RESOLVED,
        STARTED,
        DRAINING,
        STOPPED,
        FAILED
    }

    private record Status(State state, Optional<String> reason) {}

    private final Path file;
    private final PluginEnvironment environment;
    private volatile Status status = new Status(State.FOUND, Optional.empty());
    private volatile Optional<PluginDescriptor> descriptor = Optional.empty();
    private volatile List<Offers.Origin> offers = List.of();
    private volatile Optional<PluginSettings> settings = Optional.empty();
    private Optional<PluginLayer> layer = Optional.empty();
    private Optional<Plugin> plugin = Optional.empty();
    private Optional<ThreadPoolExecutor> thread = Optional.empty();

    PluginHandle(Path file, PluginEnvironment environment) {
        this.file = file;
        this.environment = environment;
    }

    Path file() {
        return file;
    }

    /** The module name, or the file's name where the descriptor could not be read. */
    String id() {
        return descriptor.map(PluginDescriptor::id).orElse(file.getFileName().toString());
    }

    State state() {
        return status.state();
    }

    Optional<String> reason() {
        return status.reason();
    }

    List<Offers.Origin> offers() {
        return offers;
    }

    Optional<PluginSettings> settings() {
        return settings;
    }

    PluginStatus report() {
        return new PluginStatus(
                id(),
                descriptor.map(PluginDescriptor::version).orElse(""),
                file.toString(),
                offers.stream()
                        .map(o ->
                                Offers.kind(o.extension()) + ":" + o.extension().name())
                        .toList(),
                offers.stream()
                        .flatMap(o -> o.routes().stream())
                        .map(r -> r.method() + " " + r.path() + " " + r.scope())
                        .toList(),
                state().name(),
                reason());
    }

    /** Reads the descriptor. */
    void inspect(Module api) {
        try {
            descriptor = Optional.of(PluginDescriptor.read(file, api));
        } catch (Refusal e) {
            fail(e.getMessage());
        }
    }

    /** Makes the layer and starts the plugin; blocks until it has started or failed. */
    void start(ModuleLayer parent) {
        if (state() != State.FOUND) {
            return;
        }
        PluginDescriptor found = descriptor.orElseThrow();
        boolean nativeAccess = environment.builtIn().builtIn(file)
                || PluginEnvironment.listed(environment.configuration().get(Keys.PLUGINS_NATIVE), found.id());
        try {
            PluginLayer made = PluginLayer.define(found, parent, nativeAccess);
            layer = Optional.of(made);
            status = new Status(State.RESOLVED, Optional.empty());
            thread = Optional.of(lifecycleThread(found.id(), made.loader()));
        } catch (Refusal e) {
            fail(e.getMessage());
            return;
        }
        PluginSettings section = new PluginSettings(found.name(), environment.configuration());
        settings = Optional.of(section);
        List<Offers.Origin> started;
        try {
            started = within(() -> run(found, section));
        } catch (Exception e) {
            fail(describe("start", e));
            stopQuietly();
            return;
        }
        section.unread().ifPresentOrElse(this::refuse, () -> {
            offers = started;
            status = new Status(State.STARTED, Optional.empty());
        });
    }

    private List<Offers.Origin> run(PluginDescriptor found, PluginSettings section) throws Exception {
        Plugin made = layer.orElseThrow().instantiate(found);
        plugin = Optional.of(made);
        Path directory = environment.home().plugin(found.name());
        List<Offers.Origin> origins = new ArrayList<>();
        for (Extension extension : made.start(new KernelContext(section, directory, environment))) {
            List<Route> routes = extension instanceof HttpFeature feature ? List.copyOf(feature.routes()) : List.of();
            origins.add(new Offers.Origin(extension, found.id(), file, routes));
        }
        return List.copyOf(origins);
    }

    /** Takes back a start that must not count: stops the plugin and marks it failed. */
    void refuse(String reason) {
        offers = List.of();
        fail(reason);
        stopQuietly();
    }

    /** Leaves the plugin where it was found. */
    void disable() {
        status = new Status(State.FOUND, Optional.of("listed in plugins.disabled"));
    }

    /** Marks the plugin as failed without running any of its code. */
    void fail(String reason) {
        status = new Status(State.FAILED, Optional.of(reason));
        LOG.log(Level.WARNING, "Plugin {0} failed: {1}", id(), reason);
    }

    /** Hides the offers; the plugin may still be at work on requests it has. */
    void drain() {
        if (state() == State.STARTED) {
            offers = List.of();
            status = new Status(State.DRAINING, Optional.empty());
        }
    }

    /** Stops a draining plugin; blocks until it has stopped or its deadline has passed. */
    void stop() {
        drain();
        if (state() == State.DRAINING) {
            status = stopQuietly()
                    .map(reason -> new Status(State.FAILED, Optional.of(reason)))
                    .orElse(new Status(State.STOPPED, Optional.empty()));
        }
    }

    /** Calls the plugin's stop, also after a failed start, and lets go of everything; answers what went wrong. */
    private Optional<String> stopQuietly() {
        Optional<String> wrong = Optional.empty();
        if (plugin.isPresent() && thread.isPresent()) {
            try {
                within(() -> {
                    plugin.get().stop();
                    return List.of();
                });
            } catch (Exception e) {
                wrong = Optional.of(describe("stop", e));
                LOG.log(Level.WARNING, "Plugin {0}: {1}", id(), wrong.get());
            }
        }
        thread.ifPresent(ThreadPoolExecutor::shutdownNow);
        thread = Optional.empty();
        plugin = Optional.empty();
        layer = Optional.empty();
        return wrong;
    }

    private List<Offers.Origin> within(Callable<List<Offers.Origin>> task) throws Exception {
        Duration deadline = deadline();
        Future<List<Offers.Origin>> future = thread.orElseThrow().submit(task);
        try {
            return future.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e; // an Error, such as a class that could not be linked
        } catch (TimeoutException e) {
            future.cancel(true);
            throw e;
        }
    }

    private String describe(String call, Exception e) {
        return switch (e) {
            case TimeoutException t ->
                "did not %s within %d ms; it was interrupted"
                        .formatted(call, deadline().toMillis());
            case InterruptedException i -> call + " was interrupted";
            case Refusal r -> r.getMessage();
            default -> {
                Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
                LOG.log(Level.DEBUG, "Plugin " + id() + " threw in " + call, cause);
                yield "%s threw %s: %s".formatted(call, cause.getClass().getName(), cause.getMessage());
            }
        };
    }

    private Duration deadline() {
        double seconds = environment.configuration().get(Keys.PLUGIN_DEADLINE);
        return Duration.ofMillis((long) (seconds * 1000));
    }

    private static ThreadPoolExecutor lifecycleThread(String id, ClassLoader loader) {
        // not a virtual thread: a plugin that spins in start must not take a carrier from the HTTP server
        ThreadPoolExecutor one = new ThreadPoolExecutor(
                1,
                1,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> Thread.ofPlatform().name("plugin-" + id).daemon(true).unstarted(() -> {
                    Thread.currentThread().setContextClassLoader(loader);
                    task.run();
                }));
        one.allowCoreThreadTimeOut(true);
        return one;
    }
}
