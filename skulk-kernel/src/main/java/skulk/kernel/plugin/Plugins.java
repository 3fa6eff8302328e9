package skulk.kernel.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import skulk.api.Membership;
import skulk.api.Plugin;
import skulk.api.operation.Operation.PluginStatus;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;

/**
 * All plugins of a process. They start at the same time, and are registered in the order of their ids; whoever fails is listed with the reason and disturbs
 * nobody. The life-cycle methods are for one thread at a time; {@link #statuses()} is safe for any.
 */
public final class Plugins implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Plugins.class.getName());

    private final Source source;
    private final PluginEnvironment environment;
    private final Registry registry;
    private volatile List<PluginHandle> handles = List.of();
    private boolean running;

    /** Lists the folders and jars to load, anew at each call. */
    @FunctionalInterface
    public interface Source {
        List<Path> files() throws IOException;

        /** The sub-folders and jars of some directories, those that do not exist left out. */
        static Source directories(List<Path> directories) {
            return () -> {
                List<Path> found = new ArrayList<>();
                for (Path directory : directories) {
                    if (Files.isDirectory(directory)) {
                        try (Stream<Path> entries = Files.list(directory)) {
                            entries.filter(Source::loadable).sorted().forEach(found::add);
                        }
                    }
                }
                return found;
            };
        }

        private static boolean loadable(Path entry) {
            String name = entry.getFileName().toString();
            return !name.startsWith(".") && (Files.isDirectory(entry) || name.endsWith(".jar"));
        }
    }

    public Plugins(Source source, PluginEnvironment environment, Registry registry) {
        this.source = source;
        this.environment = environment;
        this.registry = registry;
    }

    /** Finds, checks and starts everything; returns once each plugin has started or failed. */
    public synchronized void start() {
        load(files());
        running = true;
    }

    /** Every plugin found, by id. */
    public List<PluginStatus> statuses() {
        return handles.stream().map(PluginHandle::report).toList();
    }

    /** A required plugin that is missing or failed, as one line for the operator; empty where all started. */
    public Optional<String> missing() {
        for (String required : environment.configuration().get(Keys.PLUGINS_REQUIRED)) {
            List<PluginHandle> named = handles.stream()
                    .filter(h -> PluginEnvironment.listed(List.of(required), h.id()))
                    .toList();
            if (named.isEmpty()) {
                return Optional.of("required plugin " + required + " was not found; known: "
                        + handles.stream().map(PluginHandle::id).toList());
            }
            if (named.stream().noneMatch(h -> h.state() == PluginHandle.State.STARTED)) {
                return Optional.of("required plugin " + required + " did not start: "
                        + named.getFirst()
                                .reason()
                                .orElse("it is " + named.getFirst().state()));
            }
        }
        return Optional.empty();
    }

    /** Hears each key that a plugin has declared: plugin name, key, default as text, meaning. */
    public void declared(DeclaredKeys visitor) {
        for (PluginHandle handle : handles) {
            handle.settings()
                    .ifPresent(s -> s.declared()
                            .forEach(d -> visitor.key(
                                    PluginDescriptor.nameOf(handle.id()), d.key(), d.fallback(), d.meaning())));
        }
    }

    /** Hears of declared keys. */
    @FunctionalInterface
    public interface DeclaredKeys {
        void key(String plugin, String key, String fallback, String meaning);
    }

    /**
     * Looks again: starts what was dropped in since or failed to load before, drains and stops what was removed. Blocks until done.
     */
    public synchronized List<PluginStatus> rescan() {
        List<Path> files = files();
        List<PluginHandle> removed = handles.stream()
                .filter(h -> !files.contains(h.file()) && !joined(h))
                .toList();
        withdraw(removed);
        handles = handles.stream().filter(h -> !removed.contains(h)).toList();
        List<Path> settled = handles.stream()
                .filter(h -> h.state() == PluginHandle.State.STARTED)
                .map(PluginHandle::file)
                .toList();
        load(files.stream().filter(f -> !settled.contains(f)).toList());
        return statuses();
    }

    /** A membership cannot be taken from under the cluster. */
    private boolean joined(PluginHandle handle) {
        boolean membership = handle.offers().stream().anyMatch(o -> o.extension() instanceof Membership);
        if (membership) {
            LOG.log(
                    Level.WARNING,
                    "Plugin {0} was removed from {1} but offers the membership: it stays until the node stops",
                    handle.id(),
                    handle.file());
        }
        return membership;
    }

    /** Withdraws all offers, then stops every plugin, all at the same time; bounded by the plugins' deadline. */
    @Override
    public synchronized void close() {
        withdraw(handles);
    }

    private void withdraw(List<PluginHandle> leaving) {
        leaving.forEach(PluginHandle::drain);
        publish();
        together(leaving, PluginHandle::stop);
    }

    private void load(List<Path> files) {
        Map<Path, PluginHandle> old = new TreeMap<>();
        handles.forEach(h -> old.put(h.file(), h));
        List<PluginHandle> fresh =
                files.stream().map(file -> new PluginHandle(file, environment)).toList();
        Module api = Plugin.class.getModule();
        together(fresh, handle -> handle.inspect(api));
        fresh.forEach(handle -> old.put(handle.file(), handle));
        handles = old.values().stream()
                .sorted(Comparator.comparing(PluginHandle::id).thenComparing(PluginHandle::file))
                .toList();
        List<PluginHandle> starting = startable(fresh);
        ModuleLayer parent = Optional.ofNullable(api.getLayer()).orElseGet(ModuleLayer::boot);
        together(starting, handle -> handle.start(parent));
        admit(starting);
        publish();
    }

    /** Those that may start: not disabled, and no other of the same id. */
    private List<PluginHandle> startable(List<PluginHandle> fresh) {
        Configuration configuration = environment.configuration();
        List<PluginHandle> starting = new ArrayList<>();
        for (PluginHandle handle : handles) {
            if (!fresh.contains(handle) || handle.state() != PluginHandle.State.FOUND) {
                continue;
            }
            Optional<PluginHandle> twin = handles.stream()
                    .filter(other -> other != handle && other.id().equals(handle.id()))
                    .filter(other -> starting.contains(other) || other.state() == PluginHandle.State.STARTED)
                    .findFirst();
            if (PluginEnvironment.listed(configuration.get(Keys.PLUGINS_DISABLED), handle.id())) {
                handle.disable();
            } else if (twin.isPresent()) {
                handle.fail("%s: has the same id %s as %s; remove one of them"
                        .formatted(handle.file(), handle.id(), twin.get().file()));
            } else {
                starting.add(handle);
            }
        }
        return starting;
    }

    /** Takes in what the started plugins offer, in the order of their ids, unless another one has it already. */
    private void admit(List<PluginHandle> started) {
        List<Offers.Origin> there = new ArrayList<>();
        handles.stream().filter(h -> !started.contains(h)).forEach(h -> there.addAll(h.offers()));
        for (PluginHandle handle : handles) {
            if (started.contains(handle)) {
                refusal(there, handle).ifPresent(handle::refuse);
                there.addAll(handle.offers());
            }
        }
    }

    private Optional<String> refusal(List<Offers.Origin> there, PluginHandle handle) {
        boolean membership = handle.offers().stream().anyMatch(o -> o.extension() instanceof Membership);
        return running && membership
                ? Optional.of("offers a membership, which is fixed at start; restart the node")
                : Clashes.find(there, handle.offers());
    }

    private void publish() {
        registry.publish(
                new Offers(handles.stream().flatMap(h -> h.offers().stream()).toList()));
    }

    private List<Path> files() {
        try {
            return source.files();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list the plugins", e);
        }
    }

    private static void together(List<PluginHandle> handles, Consumer<PluginHandle> action) {
        List<Thread> threads = handles.stream()
                .map(handle -> Thread.ofVirtual().name("plugins").start(() -> action.accept(handle)))
                .toList();
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (true) {
                try {
                    thread.join(); // bounded: each handle has its deadline
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
