package skulk.kernel.storage;

import skulk.api.cluster.Download;

/** Hears how the node's downloads go. Called from storage threads, one call at a time per model; must not block. */
@FunctionalInterface
public interface StorageListener {
    /** The newest state of one model's files; replaces what was told of the same model before. */
    void changed(Download download);
}
