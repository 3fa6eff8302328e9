package skulk.storage.store;

import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.Optional;
import skulk.api.ModelUpload;
import skulk.api.StorageBackend;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/** The store as a source for the other nodes. What it lacks it is asked to fetch, so that a model crosses the internet once. */
final class ClientBackend implements StorageBackend {
    private static final Duration WAIT = Duration.ofSeconds(60);

    private final RemoteStore store;

    ClientBackend(RemoteStore store) {
        this.store = store;
    }

    @Override
    public String name() {
        return "store";
    }

    @Override
    public Optional<ModelManifest> find(ModelId model) throws IOException {
        return store.files(model);
    }

    @Override
    public ReadableByteChannel open(ModelId model, ModelFile file, long offset) {
        return new StoreChannel(store, model, file, offset);
    }

    /**
     * Has the store's host begin a copy of its own: there is nothing for the caller to write, and {@link #find} succeeds from here on.
     *
     * @throws IOException where the host cannot fetch it
     */
    @Override
    public Optional<ModelUpload> upload(ModelManifest manifest) throws IOException {
        Store.Progress progress = store.download(manifest.model(), WAIT);
        if (progress.status().equals(Store.Progress.FAILED)) {
            throw new IOException(
                    "the store could not fetch it: " + progress.error().orElse("no reason given"));
        }
        return Optional.empty();
    }
}
