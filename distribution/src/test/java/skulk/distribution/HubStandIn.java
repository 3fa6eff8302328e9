package skulk.distribution;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** A hub on loopback with one model: listing, redirects of large files to another host name, ranges, and a count of what it sends. */
final class HubStandIn implements AutoCloseable {
    static final String COMMIT = "2222222222222222222222222222222222222222";
    private static final int PIECE = 64 << 10;
    private static final long LARGE = 1 << 20;
    private static final Duration HOLD = Duration.ofMillis(20);

    private final HttpServer server;
    private final String model;
    private final Path folder;
    private final Map<Path, String> digests = new ConcurrentHashMap<>();
    /** Requests of any kind so far. */
    final AtomicLong asked = new AtomicLong();
    /** Bytes of files sent so far. */
    final AtomicLong sent = new AtomicLong();
    /** The query of the last search. */
    volatile String searched = "";
    /** What it does to large files. */
    volatile Mischief mischief = Mischief.NONE;
    /** Wait after each piece of 64 KiB; 0 = none. */
    volatile int pauseMillis;
    /** Stands still, as far as large files go, once it has sent so many bytes. */
    volatile long holdAt = Long.MAX_VALUE;

    enum Mischief {
        NONE,
        GONE,
        GATED,
        OTHER_BYTES
    }

    HubStandIn(String model, Path folder) throws IOException {
        this.model = model;
        this.folder = folder;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Bytes of all files. */
    long modelBytes() throws IOException {
        long sum = 0;
        for (Path file : files()) {
            sum += Files.size(file);
        }
        return sum;
    }

    List<Path> files() throws IOException {
        try (Stream<Path> list = Files.list(folder)) {
            return list.sorted().toList();
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        asked.incrementAndGet();
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String resolve = "/%s/resolve/%s/".formatted(model, COMMIT);
            boolean large =
                    path.startsWith(resolve) && Files.size(folder.resolve(path.substring(resolve.length()))) >= LARGE;
            if (large && (mischief == Mischief.GONE || mischief == Mischief.GATED)) {
                boolean gated = mischief == Mischief.GATED;
                exchange.getResponseHeaders().set("X-Error-Code", gated ? "GatedRepo" : "EntryNotFound");
                exchange.sendResponseHeaders(gated ? 401 : 404, -1);
            } else if (path.equals("/api/models")) {
                searched = "?" + exchange.getRequestURI().getRawQuery();
                json(
                        exchange,
                        Json.of(List.of(JsonObject.builder()
                                .put("id", model)
                                .put("downloads", 7)
                                .build())));
            } else if (path.equals("/api/models/" + model)) {
                json(
                        exchange,
                        JsonObject.builder().put("id", model).put("sha", COMMIT).build());
            } else if (path.equals("/api/models/%s/tree/%s".formatted(model, COMMIT))) {
                json(exchange, tree());
            } else if (large) {
                exchange.getResponseHeaders()
                        .set(
                                "Location",
                                "http://localhost:%d/cdn/%s"
                                        .formatted(server.getAddress().getPort(), path.substring(resolve.length())));
                exchange.sendResponseHeaders(302, -1);
            } else if (path.startsWith(resolve)) {
                file(exchange, folder.resolve(path.substring(resolve.length())));
            } else if (path.startsWith("/cdn/")) {
                file(exchange, folder.resolve(path.substring(5)));
            } else {
                exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
                exchange.sendResponseHeaders(404, -1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Json tree() throws IOException {
        List<JsonObject> entries = new ArrayList<>();
        for (Path file : files()) {
            long size = Files.size(file);
            JsonObject.Builder entry = JsonObject.builder()
                    .put("type", "file")
                    .put("path", file.getFileName().toString())
                    .put("size", size);
            if (size >= LARGE) {
                entry.put("oid", "0".repeat(40))
                        .put(
                                "lfs",
                                JsonObject.builder()
                                        .put("oid", digests.computeIfAbsent(file, HubStandIn::digestOf))
                                        .put("size", size)
                                        .build());
            } else {
                entry.put("oid", gitId(Files.readAllBytes(file)));
            }
            entries.add(entry.build());
        }
        return Json.of(entries);
    }

    private static void json(HttpExchange exchange, Json body) throws IOException {
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private void file(HttpExchange exchange, Path file) throws IOException, InterruptedException {
        long size = Files.size(file);
        String range = exchange.getRequestHeaders().getFirst("Range");
        long from = 0;
        long to = size;
        if (range != null) {
            String[] ends = range.substring("bytes=".length()).split("-");
            from = Long.parseLong(ends[0]);
            to = ends.length > 1 ? Math.min(size, Long.parseLong(ends[1]) + 1) : size;
            exchange.getResponseHeaders().set("Content-Range", "bytes %d-%d/%d".formatted(from, to - 1, size));
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, to - from);
        try (InputStream in = Files.newInputStream(file)) {
            in.skipNBytes(from);
            OutputStream out = exchange.getResponseBody();
            for (long left = to - from; left > 0; ) {
                while (size >= LARGE && sent.get() >= holdAt) {
                    Thread.sleep(HOLD);
                }
                byte[] piece = in.readNBytes((int) Math.min(PIECE, left));
                if (size >= LARGE && mischief == Mischief.OTHER_BYTES) {
                    piece[0] ^= 1;
                }
                out.write(piece);
                out.flush();
                sent.addAndGet(piece.length);
                left -= piece.length;
                Thread.sleep(pauseMillis);
            }
        }
    }

    private static String digestOf(Path file) {
        try {
            return sha256(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String sha256(Path file) throws IOException {
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest("SHA-256"))) {
            in.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of()
                    .formatHex(((DigestInputStream) in).getMessageDigest().digest());
        }
    }

    private static String gitId(byte[] content) {
        byte[] head = ("blob " + content.length + '\0').getBytes(StandardCharsets.US_ASCII);
        return digest(
                "SHA-1",
                java.nio.ByteBuffer.allocate(head.length + content.length)
                        .put(head)
                        .put(content)
                        .array());
    }

    private static String digest(String algorithm, byte[] bytes) {
        return HexFormat.of().formatHex(digest(algorithm).digest(bytes));
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has " + algorithm, e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
