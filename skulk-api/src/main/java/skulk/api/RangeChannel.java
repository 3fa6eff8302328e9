package skulk.api;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.util.Optional;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;

/** A stretch of a file as one channel where a source gives it in one or several answers; for {@link StorageBackend#open}. Used by one thread. */
public abstract class RangeChannel implements ReadableByteChannel {
    private final byte[] buffer;
    private final long last;
    private long position;
    private boolean open = true;
    private Optional<Answer> current = Optional.empty();

    /**
     * What a source sends at once.
     *
     * @param body its next byte is the one that was asked for
     * @param end the byte of the file after the last that is used of it
     * @param ending called once when no more is read of it
     */
    public record Answer(InputStream body, long end, Ending ending) {}

    /** Lets go of an answer. */
    @FunctionalInterface
    public interface Ending {
        /** @param complete all that was to be used has been read */
        void end(boolean complete) throws IOException;
    }

    /**
     * Nothing is asked for yet.
     *
     * @param range beyond the end of the file means the end
     * @param buffer bytes that are read at once at most
     */
    protected RangeChannel(ModelFile file, ByteRange range, int buffer) {
        this.position = range.start();
        this.last = Math.min(range.end(), file.size());
        this.buffer = new byte[buffer];
    }

    /**
     * Asks for bytes.
     *
     * @param from the first
     * @param to the byte after the last that is wanted; the answer may end before it, not after it
     */
    protected abstract Answer request(long from, long to) throws IOException;

    /** The failure of a source that ended its answer too early. */
    protected abstract IOException cutOff(long at, long end);

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (!open) {
            throw new ClosedChannelException();
        }
        if (position >= last) {
            return -1;
        }
        if (current.isEmpty()) {
            current = Optional.of(request(position, last));
        }
        Answer answer = current.get();
        int wanted = (int) Math.min(Math.min(target.remaining(), buffer.length), answer.end() - position);
        int n = answer.body().read(buffer, 0, wanted);
        if (n < 0) {
            drop();
            throw cutOff(position, answer.end());
        }
        target.put(buffer, 0, n);
        position += n;
        if (position >= answer.end()) {
            drop();
        }
        return n;
    }

    private void drop() throws IOException {
        if (current.isPresent()) {
            Answer answer = current.get();
            current = Optional.empty();
            answer.ending().end(position >= answer.end());
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
