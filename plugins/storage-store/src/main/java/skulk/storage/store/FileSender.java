package skulk.storage.store;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.model.ModelFile;

/**
 * Sends a file or a range of it. A file that is still being downloaded is sent as its bytes arrive, so that other nodes need not wait for the whole; when no
 * more come for a while the response ends short, and the reader asks again.
 */
final class FileSender {
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})");
    private static final int BUFFER = 1 << 20;

    private final Duration patience;

    FileSender(Duration patience) {
        this.patience = patience;
    }

    /** Bytes from start to before end. */
    record Span(long start, long end) {
        /**
         * What a Range header asks of a file (RFC 9110 section 14.1.2).
         *
         * @return the whole file where there is no header or one of another form, which servers may ignore; empty where nothing of the file is asked
         */
        static Optional<Span> of(Optional<String> header, long size) {
            Matcher range = RANGE.matcher(header.orElse(""));
            if (!range.matches() || (range.group(1).isEmpty() && range.group(2).isEmpty())) {
                return Optional.of(new Span(0, size));
            }
            if (range.group(1).isEmpty()) {
                long last = Long.parseLong(range.group(2));
                return last == 0 || size == 0
                        ? Optional.empty()
                        : Optional.of(new Span(Math.max(0, size - last), size));
            }
            long start = Long.parseLong(range.group(1));
            long end = range.group(2).isEmpty() ? size : Math.min(size, Long.parseLong(range.group(2)) + 1);
            return start >= size || end <= start ? Optional.empty() : Optional.of(new Span(start, end));
        }
    }

    void send(HttpExchange exchange, StoreFolder folder, ModelFile file) throws IOException, InterruptedException {
        Optional<String> header =
                Optional.ofNullable(exchange.getRequestHeaders().getFirst("Range"));
        Optional<Span> span = Span.of(header, file.size());
        exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
        if (span.isEmpty()) {
            exchange.getResponseHeaders().set("Content-Range", "bytes */" + file.size());
            StoreServer.fail(exchange, 416, "%s has %d bytes".formatted(file.path(), file.size()));
            return;
        }
        long start = span.get().start();
        long end = span.get().end();
        boolean part = header.isPresent() && RANGE.matcher(header.get()).matches();
        file.sha256().ifPresent(digest -> exchange.getResponseHeaders().set("ETag", '"' + digest + '"'));
        exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
        if (part) {
            exchange.getResponseHeaders().set("Content-Range", "bytes %d-%d/%d".formatted(start, end - 1, file.size()));
        }
        exchange.sendResponseHeaders(part ? 206 : 200, end == start ? -1 : end - start);
        copy(folder, file, span.get(), exchange.getResponseBody());
    }

    /** Waits until a file has its final name; false where nothing arrives any more. */
    boolean awaitWhole(StoreFolder folder, ModelFile file) throws IOException, InterruptedException {
        if (folder.whole(file)) {
            return true;
        }
        try (FolderWatch watch =
                new FolderWatch(folder.path().resolve(file.path()).getParent())) {
            long end = System.nanoTime() + patience.toNanos();
            while (!folder.whole(file)) {
                if (System.nanoTime() > end || !watch.await(patience)) {
                    return false;
                }
            }
            return true;
        }
    }

    private void copy(StoreFolder folder, ModelFile file, Span span, OutputStream out)
            throws IOException, InterruptedException {
        long at = span.start();
        Optional<FolderWatch> watch = Optional.empty();
        Optional<FileChannel> channel = Optional.empty();
        try {
            while (at < span.end()) {
                long to = Math.min(span.end(), folder.available(file, at));
                if (to > at) {
                    if (channel.isEmpty()) {
                        channel = Optional.of(
                                folder.open(file).orElseThrow(() -> new IOException("gone: " + file.path())));
                    }
                    copy(channel.get(), at, to, out);
                    at = to;
                } else if (watch.isEmpty()) {
                    watch = Optional.of(
                            new FolderWatch(folder.path().resolve(file.path()).getParent()));
                } else if (!watch.get().await(patience)) {
                    throw new IOException("no more bytes of %s arrive".formatted(file.path()));
                }
            }
        } finally {
            if (watch.isPresent()) {
                watch.get().close();
            }
            if (channel.isPresent()) {
                channel.get().close();
            }
        }
    }

    private static void copy(FileChannel from, long start, long end, OutputStream out) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        long at = start;
        while (at < end) {
            buffer.clear().limit((int) Math.min(BUFFER, end - at));
            int n = from.read(buffer, at);
            if (n < 0) {
                throw new IOException("the file became shorter");
            }
            out.write(buffer.array(), 0, n);
            at += n;
        }
        out.flush();
    }
}
