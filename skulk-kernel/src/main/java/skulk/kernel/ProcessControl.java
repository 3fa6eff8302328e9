package skulk.kernel;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation.ConfigReply;
import skulk.api.operation.Operation.ConfigWritten;
import skulk.api.operation.Operation.PluginStatus;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.ConfigurationException;
import skulk.kernel.config.ConfigurationFile;
import skulk.kernel.config.Keys;
import skulk.kernel.http.HttpServer;
import skulk.kernel.node.Names;
import skulk.kernel.node.NodeControl;
import skulk.kernel.node.Reexec;
import skulk.kernel.plugin.Plugins;
import skulk.kernel.security.KeyStore;
import skulk.kernel.security.Quotas;

/** The node's process as operations see it. */
final class ProcessControl implements NodeControl {
    private static final System.Logger LOG = System.getLogger(ProcessControl.class.getName());
    /** Leaves time for the answer to reach the client (contract section 1.5). */
    private static final long RESTART_DELAY_MILLIS = 1000;

    private final Configuration configuration;
    private final KeyStore keys;
    private final Quotas quotas;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final AtomicBoolean restarting = new AtomicBoolean();
    private volatile Optional<Plugins> plugins = Optional.empty();
    private volatile Optional<HttpServer> http = Optional.empty();
    private volatile Runnable stopper = () -> {};
    private volatile boolean again;

    ProcessControl(Configuration configuration, KeyStore keys) {
        this.configuration = configuration;
        this.keys = keys;
        this.quotas = new Quotas(keys::ring, System::nanoTime);
    }

    void plugins(Plugins made) {
        plugins = Optional.of(made);
    }

    void http(Optional<HttpServer> bound) {
        http = bound;
    }

    void stopper(Runnable action) {
        stopper = action;
    }

    void stopped() {
        stopped.countDown();
    }

    /** Blocks until the node has stopped, then becomes the new process where a restart was asked for. */
    void awaitStop() throws InterruptedException {
        stopped.await();
        if (again) {
            try {
                Reexec.run();
            } catch (IOException e) {
                LOG.log(Level.ERROR, "The node stopped for a restart but could not be started again", e);
            }
        }
    }

    @Override
    public List<PluginStatus> plugins() {
        return plugins.map(Plugins::statuses).orElse(List.of());
    }

    @Override
    public List<PluginStatus> rescan() {
        return plugins.map(Plugins::rescan).orElse(List.of());
    }

    @Override
    public ConfigReply readConfig() {
        ConfigurationFile file = ConfigurationFile.read(configuration.file());
        JsonObject.Builder effective = JsonObject.builder().put("kv_cache_backend", configuration.get(Keys.KV_BACKEND));
        if (file.exists()) {
            effective.put("has_hf_token", !configuration.get(Keys.HF_TOKEN).isEmpty());
        }
        return new ConfigReply(file.shown(), configuration.file().toString(), file.exists(), effective.build());
    }

    @Override
    public ConfigWritten writeConfig(JsonObject config) {
        return write(file -> file.write(config));
    }

    @Override
    public ConfigWritten adoptConfig(JsonObject shared) {
        return write(file -> file.adopt(shared));
    }

    private interface Change {
        ConfigurationFile of(ConfigurationFile file) throws IOException;
    }

    private synchronized ConfigWritten write(Change change) {
        try {
            ConfigurationFile before = ConfigurationFile.read(configuration.file());
            ConfigurationFile after = change.of(before);
            boolean same = before.root().equals(after.root());
            return new ConfigWritten(
                    same ? "Configuration unchanged" : "Configuration saved", configuration.differs(after));
        } catch (ConfigurationException e) {
            throw new SkulkException(Problem.Kind.INVALID, e.getMessage());
        } catch (IOException e) {
            throw new SkulkException(
                    Problem.of(
                            Problem.Kind.OUT_OF_RESOURCES,
                            "The configuration of node %s could not be written: %s"
                                    .formatted(Names.of(configuration), e.getMessage())),
                    e);
        }
    }

    @Override
    public KeyStore keys() {
        return keys;
    }

    @Override
    public Quotas quotas() {
        return quotas;
    }

    @Override
    public int apiPort() {
        return http.map(HttpServer::port).orElse(0);
    }

    @Override
    public boolean restart() {
        if (!restarting.compareAndSet(false, true)) {
            return false;
        }
        LOG.log(Level.INFO, "Restarting");
        CompletableFuture.delayedExecutor(
                        RESTART_DELAY_MILLIS,
                        TimeUnit.MILLISECONDS,
                        task -> Thread.ofPlatform().name("restart").start(task))
                .execute(() -> {
                    again = true;
                    stopper.run();
                });
        return true;
    }
}
