package skulk.kernel.node;

import java.util.List;
import skulk.api.json.JsonObject;
import skulk.api.operation.Operation.ConfigReply;
import skulk.api.operation.Operation.ConfigWritten;
import skulk.api.operation.Operation.PluginStatus;
import skulk.kernel.security.KeyStore;
import skulk.kernel.security.Quotas;

/** What operations ask of the node's own process: its plugins, its configuration file, its port, its life. Safe for use by several threads. */
public interface NodeControl {
    /** Every plugin found, in the order of their ids. */
    List<PluginStatus> plugins();

    /** Loads what was dropped in since, drains and stops what was removed; blocks until done. */
    List<PluginStatus> rescan();

    /** The configuration file as it is, without secrets. */
    ConfigReply readConfig();

    /**
     * Validates and persists a configuration, see {@link skulk.kernel.config.ConfigurationFile}. Telling other nodes is the caller's affair.
     *
     * @throws skulk.api.problem.SkulkException INVALID naming the key
     */
    ConfigWritten writeConfig(JsonObject config);

    /** The same for what another node tells; what describes this machine stays. */
    ConfigWritten adoptConfig(JsonObject shared);

    /** The API keys that count on this node; what replicates them over the cluster listens and adopts here. */
    KeyStore keys();

    /** What keys have under way and use on this node; what tells the other nodes listens here. */
    Quotas quotas();

    /** The bound HTTP port; 0 where the API is off. */
    int apiPort();

    /** Replaces this process by a new one of the same command line about a second from now; false where that is pending already. */
    boolean restart();
}
