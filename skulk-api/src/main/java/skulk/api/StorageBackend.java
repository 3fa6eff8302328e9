package skulk.api;

import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/** A source of models. The kernel tries backends in the configured order. Safe for use by several threads; methods block on I/O. */
public non-sealed interface StorageBackend extends Extension {
    /** The complete file list with sizes and digests, or empty where this backend lacks the model. */
    Optional<ModelManifest> find(ModelId model) throws IOException;

    /**
     * Reads a stretch of a file, so that a rank fetches only its own layers and a broken transfer resumes. The channel may end later, not earlier. Here and while
     * reading an {@link IOException} is tried again; a {@link skulk.api.problem.SkulkException} says that this is of no use.
     */
    ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) throws IOException;

    /** The folder of a complete local copy that can be loaded in place, without staging. */
    default Optional<Path> local(ModelId model) throws IOException {
        return Optional.empty();
    }

    /** The models it can list cheaply. */
    default List<ModelId> models() throws IOException {
        return List.of();
    }

    /** What it can do beyond others, where it holds copies that nodes of this cluster made. */
    default Optional<CopySource> copies() {
        return Optional.empty();
    }
}
