package skulk.storage.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.StorageBackend;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/** The store on its host: models are loaded where they are. */
final class HostBackend implements StorageBackend {
    private final LocalStore store;

    HostBackend(LocalStore store) {
        this.store = store;
    }

    @Override
    public String name() {
        return "store";
    }

    @Override
    public Optional<ModelManifest> find(ModelId model) throws IOException {
        return StoreFolder.of(store.root(), model).complete() ? store.files(model) : Optional.empty();
    }

    @Override
    public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException {
        FileChannel channel =
                FileChannel.open(StoreFolder.of(store.root(), model).path().resolve(file.path()));
        try {
            return channel.position(range.start());
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public Optional<Path> local(ModelId model) throws IOException {
        StoreFolder folder = StoreFolder.of(store.root(), model);
        return folder.complete() ? Optional.of(folder.path()) : Optional.empty();
    }

    @Override
    public List<ModelId> models() throws IOException {
        List<ModelId> models = new ArrayList<>();
        for (StoreFolder folder : StoreFolder.under(store.root())) {
            if (folder.complete()) {
                models.add(folder.model().orElseThrow());
            }
        }
        return models;
    }
}
