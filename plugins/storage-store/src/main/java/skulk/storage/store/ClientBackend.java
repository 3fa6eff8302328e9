package skulk.storage.store;

import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import skulk.api.CopySource;
import skulk.api.StorageBackend;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** The store as a source for the other nodes. What it lacks it is asked to fetch, so that a model crosses the internet once. */
final class ClientBackend implements StorageBackend, CopySource {
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
    public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) {
        return new StoreChannel(store, model, file, range);
    }

    @Override
    public Optional<byte[]> digests(ModelId model, ModelFile file) throws IOException {
        return Optional.of(store.digests(model, file));
    }

    @Override
    public Optional<CopySource> copies() {
        return Optional.of(this);
    }

    /** The store gets all of what it has begun to fetch. */
    @Override
    public FilePart available(ModelId model, ModelFile file) {
        return new FilePart(file.path(), List.of(new ByteRange(0, file.size())));
    }

    /** Has the store's host begin a copy of its own. */
    @Override
    public boolean fetch(ModelManifest manifest) throws IOException {
        Store.Progress progress = store.download(manifest.model(), WAIT);
        if (progress.status().equals(Store.Progress.FAILED)) {
            throw new SkulkException(
                    Problem.Kind.CONFLICT,
                    "the store could not fetch it: " + progress.error().orElse("no reason given"));
        }
        return true;
    }
}
