package skulk.api;

import java.io.IOException;
import java.nio.file.Path;
import skulk.api.model.ModelManifest;

/** The files of a model that is being brought to this node, for whoever has to look into them to say what else is needed. Used by one thread. */
public interface IncomingModel {
    /** What there is. */
    ModelManifest manifest();

    /**
     * Brings a stretch of a file here; bytes outside of what was asked for may read as zeros.
     *
     * @param start first byte
     * @param end the byte after the last; beyond the end of the file means the end
     * @return where the file lies for now
     * @throws IOException where no source gives it
     */
    Path require(String path, long start, long end) throws IOException, InterruptedException;
}
