package skulk.storage.store;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.util.Optional;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;

/** A stretch of a file of the store, read in requests of at most {@value #RANGE} bytes. Used by one thread. */
final class StoreChannel implements ReadableByteChannel {
    static final int RANGE = 16 << 20;

    private final RemoteStore store;
    private final String path;
    private final ModelFile file;
    private final long last;
    private final byte[] buffer = new byte[256 << 10];
    private long position;
    private long end;
    private boolean open = true;
    private Optional<InputStream> body = Optional.empty();

    StoreChannel(RemoteStore store, ModelId model, ModelFile file, ByteRange range) {
        this.store = store;
        this.path = RemoteStore.path(model, file);
        this.file = file;
        this.position = range.start();
        this.last = Math.min(range.end(), file.size());
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (!open) {
            throw new ClosedChannelException();
        }
        if (position >= last) {
            return -1;
        }
        if (body.isEmpty()) {
            body = Optional.of(request());
        }
        int wanted = (int) Math.min(Math.min(target.remaining(), buffer.length), end - position);
        int n = body.get().read(buffer, 0, wanted);
        if (n < 0) {
            throw new IOException("the store ended %s at byte %d of %d".formatted(file.path(), position, file.size()));
        }
        target.put(buffer, 0, n);
        position += n;
        if (position >= end) {
            drop();
        }
        return n;
    }

    private InputStream request() throws IOException {
        end = Math.min(position + RANGE, last);
        HttpURLConnection connection = store.connect("GET", path, 0);
        connection.setRequestProperty("Range", "bytes=%d-%d".formatted(position, end - 1));
        int status = connection.getResponseCode();
        if (status != 206) {
            connection.disconnect();
            throw new IOException(
                    status == 416
                            ? "%s became shorter in the store".formatted(file.path())
                            : "the store answered %d for %s".formatted(status, file.path()));
        }
        String wanted = "bytes %d-%d/%d".formatted(position, end - 1, file.size());
        if (!wanted.equals(connection.getHeaderField("Content-Range")) || !digestFits(connection)) {
            connection.disconnect();
            throw new IOException("%s changed in the store since it was listed".formatted(file.path()));
        }
        return connection.getInputStream();
    }

    private boolean digestFits(HttpURLConnection connection) {
        String tag = connection.getHeaderField("ETag");
        return tag == null
                || file.sha256().isEmpty()
                || tag.equals('"' + file.sha256().get() + '"');
    }

    private void drop() throws IOException {
        if (body.isPresent()) {
            InputStream in = body.get();
            body = Optional.empty();
            in.close();
        }
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() throws IOException {
        if (open) {
            open = false;
            drop();
        }
    }
}
