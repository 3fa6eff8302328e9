package skulk.storage.hub;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.RangeChannel;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;

/**
 * A stretch of a large file, read in requests of at most {@value #RANGE} bytes. Each answer is checked to be of the listed content. Used by one thread.
 */
final class RangedChannel extends RangeChannel {
    static final int RANGE = 16 << 20;
    private static final int BUFFER = 64 << 10;
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-(\\d+)/(\\d+|\\*)");

    private final HubClient client;
    private final URI uri;
    private final ModelFile file;
    private final Check check;

    /** Throws for statuses that are no success. */
    @FunctionalInterface
    interface Check {
        void check(HubClient.Answer answer) throws IOException;
    }

    RangedChannel(HubClient client, URI uri, ModelFile file, ByteRange range, Check check) {
        super(file, range, BUFFER);
        this.client = client;
        this.uri = uri;
        this.file = file;
        this.check = check;
    }

    @Override
    protected Answer request(long from, long to) throws IOException {
        long wanted = Math.min(from + RANGE, to);
        HubClient.Answer answer = client.get(uri, Map.of("Range", "bytes=%d-%d".formatted(from, wanted - 1)));
        try {
            if (answer.status() == 416) {
                throw changed("it has no byte " + from + " any more");
            }
            check.check(answer);
            checkDigest(answer);
            boolean part = answer.status() == 206;
            long end = part ? checkRange(answer, from, wanted) : skip(answer, from, to);
            return new Answer(answer.response().body(), end, complete -> {
                if (complete && part) {
                    // meets the end of the body, so that the connection can be used again
                    answer.response().body().read();
                }
                answer.close();
            });
        } catch (IOException e) {
            answer.close();
            throw e;
        }
    }

    @Override
    protected IOException cutOff(long at, long end) {
        return new IOException("the hub ended the body at byte %d, %d were to come".formatted(at, end - at));
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

    /** @return where the part ends that it sent */
    private long checkRange(HubClient.Answer answer, long from, long wanted) throws IOException {
        Matcher range = CONTENT_RANGE.matcher(answer.header("Content-Range").orElse(""));
        if (!range.matches()) {
            throw new IOException("the hub sent a part of %s without saying which".formatted(file.path()));
        }
        if (!range.group(3).equals("*") && Long.parseLong(range.group(3)) != file.size()) {
            throw changed("it has " + range.group(3) + " bytes");
        }
        if (Long.parseLong(range.group(1)) != from) {
            throw new IOException(
                    "the hub sent %s from byte %s, not from %d".formatted(file.path(), range.group(1), from));
        }
        return Math.min(wanted, Long.parseLong(range.group(2)) + 1);
    }

    /** A source without ranges sends everything: what comes before the position is read and dropped. */
    private long skip(HubClient.Answer answer, long from, long to) throws IOException {
        long length =
                answer.response().headers().firstValueAsLong("Content-Length").orElse(file.size());
        if (length != file.size()) {
            throw changed("it has " + length + " bytes");
        }
        answer.response().body().skipNBytes(from);
        return to;
    }

    private IOException changed(String how) {
        return new IOException(
                "%s changed on the hub since it was listed with %d bytes: %s".formatted(file.path(), file.size(), how));
    }
}
