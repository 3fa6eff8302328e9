package skulk.api;

import java.io.IOException;
import java.util.Optional;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/**
 * What a {@link StorageBackend} can do whose copies were made by nodes of this cluster: they may be partial, may be on their way still, and were verified
 * once already. Safe for use by several threads; methods block on I/O.
 */
public interface CopySource {
    /** Bytes of a block, see {@link #digests}. */
    int BLOCK = 1 << 20;

    /** What of a listed file can be had, now or as it arrives. */
    FilePart available(ModelId model, ModelFile file) throws IOException;

    /**
     * The SHA-256 digests of a file's {@value #BLOCK}-byte blocks, 32 bytes each, in order: for those who fetch a part, which the digest of the whole says
     * nothing about. May wait until a file on its way is verified.
     *
     * @return empty where it has not verified the file as a whole, and is not about to
     */
    Optional<byte[]> digests(ModelId model, ModelFile file) throws IOException;

    /**
     * Has it make a copy of its own of a model that it lacks, so that {@link StorageBackend#find} succeeds from here on.
     *
     * @return false where it makes none
     * @throws IOException where it cannot be reached, which may be different a moment later
     * @throws skulk.api.problem.SkulkException where it cannot make one, and says why
     */
    boolean fetch(ModelManifest manifest) throws IOException;
}
