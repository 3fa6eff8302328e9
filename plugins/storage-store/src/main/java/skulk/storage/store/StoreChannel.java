package skulk.storage.store;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import skulk.api.RangeChannel;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;

/** A stretch of a file of the store, read in requests of at most {@value #RANGE} bytes. Used by one thread. */
final class StoreChannel extends RangeChannel {
    static final int RANGE = 16 << 20;
    private static final int BUFFER = 256 << 10;

    private final RemoteStore store;
    private final String path;
    private final ModelFile file;

    StoreChannel(RemoteStore store, ModelId model, ModelFile file, ByteRange range) {
        super(file, range, BUFFER);
        this.store = store;
        this.path = RemoteStore.path(model, file);
        this.file = file;
    }

    @Override
    protected Answer request(long from, long to) throws IOException {
        long end = Math.min(from + RANGE, to);
        HttpURLConnection connection = store.connect("GET", path, 0);
        connection.setRequestProperty("Range", "bytes=%d-%d".formatted(from, end - 1));
        int status = connection.getResponseCode();
        if (status != 206) {
            connection.disconnect();
            throw new IOException(
                    status == 416
                            ? "%s became shorter in the store".formatted(file.path())
                            : "the store answered %d for %s".formatted(status, file.path()));
        }
        String wanted = "bytes %d-%d/%d".formatted(from, end - 1, file.size());
        if (!wanted.equals(connection.getHeaderField("Content-Range")) || !digestFits(connection)) {
            connection.disconnect();
            throw new IOException("%s changed in the store since it was listed".formatted(file.path()));
        }
        InputStream body = connection.getInputStream();
        return new Answer(body, end, complete -> body.close());
    }

    private boolean digestFits(HttpURLConnection connection) {
        String tag = connection.getHeaderField("ETag");
        return tag == null
                || file.sha256().isEmpty()
                || tag.equals('"' + file.sha256().get() + '"');
    }

    @Override
    protected IOException cutOff(long at, long end) {
        return new IOException("the store ended %s at byte %d of %d".formatted(file.path(), at, file.size()));
    }
}
