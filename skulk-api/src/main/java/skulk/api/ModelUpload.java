package skulk.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import skulk.api.model.ModelFile;

/** A copy in progress, invisible to readers until it is committed. Used by one thread; closing it before the commit discards it. */
public interface ModelUpload extends AutoCloseable {
    void write(ModelFile file, long offset, ByteBuffer bytes) throws IOException;

    /** Checks digests and makes the copy visible, atomically. */
    void commit() throws IOException;

    @Override
    void close() throws IOException;
}
