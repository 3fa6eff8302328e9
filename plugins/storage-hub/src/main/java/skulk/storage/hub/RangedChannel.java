package skulk.storage.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;

/**
 * A stretch of a large file, read in requests of at most {@value #RANGE} bytes. Each answer is checked to be of the listed content. Used by one thread.
 */
final class RangedChannel implements ReadableByteChannel {
    static final int RANGE = 16 << 20;
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-(\\d+)/(\\d+|\\*)");

    private final HubClient client;
    private final URI uri;
    private final ModelFile file;
    private final Check check;
    private final long last;
    private final byte[] buffer = new byte[64 << 10];
    private long position;
    private long end;
    private boolean open = true;
    private Optional<HubClient.Answer> current = Optional.empty();

    /** Throws for statuses that are no success. */
    @FunctionalInterface
    interface Check {
        void check(HubClient.Answer answer) throws IOException;
    }

    RangedChannel(HubClient client, URI uri, ModelFile file, ByteRange range, Check check) {
        this.client = client;
        this.uri = uri;
        this.file = file;
        this.check = check;
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
        if (current.isEmpty()) {
            request();
        }
        int wanted = (int) Math.min(Math.min(target.remaining(), buffer.length), end - position);
        int n = current.orElseThrow().response().body().read(buffer, 0, wanted);
        if (n < 0) {
            drop();
            throw new IOException(
                    "the hub ended the body at byte %d, %d were to come".formatted(position, end - position));
        }
        target.put(buffer, 0, n);
        position += n;
        if (position >= end) {
            drop();
        }
        return n;
    }

    private void request() throws IOException {
        end = Math.min(position + RANGE, last);
        HubClient.Answer answer = client.get(uri, Map.of("Range", "bytes=%d-%d".formatted(position, end - 1)));
        try {
            if (answer.status() == 416) {
                throw changed("it has no byte " + position + " any more");
            }
            check.check(answer);
            checkDigest(answer);
            if (answer.status() == 206) {
                checkRange(answer);
            } else {
                skip(answer);
            }
            current = Optional.of(answer);
        } catch (IOException e) {
            answer.close();
            throw e;
        }
    }

    /** The hub names the SHA-256 of a large file in its own answer, before it redirects to where the bytes are. */
    private void checkDigest(HubClient.Answer answer) throws IOException {
        Optional<String> tag = answer.firstHeaders()
                .firstValue("X-Linked-Etag")
                .or(() -> answer.firstHeaders().firstValue("ETag"))
                .map(t -> t.replaceFirst("^W/", "").replace("\"", ""))
                .filter(t -> t.matches("[0-9a-f]{64}"));
        if (tag.isPresent()
                && file.sha256().isPresent()
                && !tag.get().equals(file.sha256().get())) {
            throw changed("its digest is " + tag.get());
        }
    }

    private void checkRange(HubClient.Answer answer) throws IOException {
        Matcher range = CONTENT_RANGE.matcher(answer.header("Content-Range").orElse(""));
        if (!range.matches()) {
            throw new IOException("the hub sent a part of %s without saying which".formatted(file.path()));
        }
        if (!range.group(3).equals("*") && Long.parseLong(range.group(3)) != file.size()) {
            throw changed("it has " + range.group(3) + " bytes");
        }
        if (Long.parseLong(range.group(1)) != position) {
            throw new IOException(
                    "the hub sent %s from byte %s, not from %d".formatted(file.path(), range.group(1), position));
        }
        end = Math.min(end, Long.parseLong(range.group(2)) + 1);
    }

    /** A source without ranges sends everything: what comes before the position is read and dropped. */
    private void skip(HubClient.Answer answer) throws IOException {
        long length =
                answer.response().headers().firstValueAsLong("Content-Length").orElse(file.size());
        if (length != file.size()) {
            throw changed("it has " + length + " bytes");
        }
        InputStream body = answer.response().body();
        body.skipNBytes(position);
        end = last;
    }

    private IOException changed(String how) {
        return new IOException(
                "%s changed on the hub since it was listed with %d bytes: %s".formatted(file.path(), file.size(), how));
    }

    private void drop() throws IOException {
        if (current.isPresent()) {
            HubClient.Answer answer = current.get();
            current = Optional.empty();
            if (position >= end && answer.status() == 206) {
                answer.response()
                        .body()
                        .read(buffer, 0, 1); // meets the end of the body, so that the connection can be used again
            }
            answer.close();
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
