package skulk.storage.hub;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import skulk.api.json.JsonObject;

/** A hub on a loopback port that speaks the protocol, counts what it sends, and misbehaves on demand. Large files are redirected to another host name. */
final class HubStandIn implements AutoCloseable {
    record Request(String host, String path, Map<String, String> headers) {
        Optional<String> header(String name) {
            return Optional.ofNullable(headers.get(name.toLowerCase()));
        }
    }

    /**
     * @param declared the Content-Length that is sent; more than the body has = a truncated body
     * @param hang whether the connection stays silent after the body instead of ending
     */
    record Reply(int status, Map<String, String> headers, byte[] body, long declared, boolean hang) {
        static Reply of(int status, byte[] body, String... headers) {
            Map<String, String> map = new LinkedHashMap<>();
            for (int i = 0; i < headers.length; i += 2) {
                map.put(headers[i], headers[i + 1]);
            }
            return new Reply(status, map, body, body.length, false);
        }

        Reply truncatedTo(int bytes) {
            return new Reply(status, headers, Arrays.copyOf(body, bytes), declared, false);
        }

        Reply hangingAfter(int bytes) {
            return new Reply(status, headers, Arrays.copyOf(body, bytes), declared, true);
        }
    }

    record Blob(byte[] bytes, boolean lfs) {}

    private final ServerSocket server;
    private final CountDownLatch closed = new CountDownLatch(1);
    final Map<String, Map<String, Blob>> models = new ConcurrentHashMap<>();
    final List<Request> requests = new CopyOnWriteArrayList<>();
    final AtomicLong fileBytes = new AtomicLong();
    volatile String commit = "1111111111111111111111111111111111111111";
    /** Answers instead of the protocol where it is present. */
    volatile Function<Request, Optional<Reply>> mischief = request -> Optional.empty();

    HubStandIn() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        Thread.ofVirtual().start(this::accept);
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    HubStandIn with(String model, String path, byte[] bytes, boolean lfs) {
        models.computeIfAbsent(model, m -> new ConcurrentHashMap<>()).put(path, new Blob(bytes, lfs));
        return this;
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = new BufferedOutputStream(socket.getOutputStream());
            for (Optional<Request> request = read(in); request.isPresent(); request = read(in)) {
                requests.add(request.get());
                Reply reply = mischief.apply(request.get()).orElseGet(protocol(request.get()));
                if (!write(out, reply)) {
                    return;
                }
            }
        } catch (IOException e) {
            return; // the client left
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Optional<Request> read(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0; c = in.read()) {
            if (c == '\n') {
                if (line.isEmpty()) {
                    Map<String, String> headers = new LinkedHashMap<>();
                    for (String header : lines.subList(1, lines.size())) {
                        int colon = header.indexOf(':');
                        headers.put(
                                header.substring(0, colon).toLowerCase(),
                                header.substring(colon + 1).strip());
                    }
                    return Optional.of(
                            new Request(headers.get("host"), lines.getFirst().split(" ")[1], headers));
                }
                lines.add(line.toString());
                line.setLength(0);
            } else if (c != '\r') {
                line.append((char) c);
            }
        }
        return Optional.empty();
    }

    private boolean write(OutputStream out, Reply reply) throws IOException, InterruptedException {
        StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status() + " x\r\n");
        reply.headers()
                .forEach((name, value) ->
                        head.append(name).append(": ").append(value).append("\r\n"));
        head.append("Content-Length: ").append(reply.declared()).append("\r\n\r\n");
        out.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
        out.write(reply.body());
        out.flush();
        if (reply.hang()) {
            closed.await();
        }
        return reply.declared() == reply.body().length;
    }

    /** What a well-behaved hub answers. */
    java.util.function.Supplier<Reply> protocol(Request request) {
        return () -> {
            String path = request.path();
            for (String model : models.keySet()) {
                if (path.equals("/api/models/" + model) || path.startsWith("/api/models/" + model + "/revision/")) {
                    return json(JsonObject.builder()
                            .put("id", model)
                            .put("sha", commit)
                            .build()
                            .toString());
                }
                if (path.startsWith("/api/models/%s/tree/%s?recursive=true".formatted(model, commit))) {
                    return tree(model, path.contains("cursor="));
                }
                String resolve = "/%s/resolve/%s/".formatted(model, commit);
                if (path.startsWith(resolve)) {
                    return file(model, path.substring(resolve.length()), request);
                }
                if (path.startsWith("/cdn/" + model + "/")) {
                    return bytes(
                            models.get(model)
                                    .get(path.substring(6 + model.length()))
                                    .bytes(),
                            request);
                }
            }
            return Reply.of(404, "{\"error\":\"Repository not found\"}".getBytes(), "X-Error-Code", "RepoNotFound");
        };
    }

    private static Reply json(String text, String... headers) {
        return Reply.of(200, text.getBytes(StandardCharsets.UTF_8), headers);
    }

    /** Two pages: the second one has the last file. */
    private Reply tree(String model, boolean second) {
        List<Object> entries = new ArrayList<>();
        models.get(model).forEach((path, blob) -> {
            JsonObject.Builder entry = JsonObject.builder()
                    .put("type", "file")
                    .put("path", path)
                    .put("size", blob.bytes().length)
                    .put("oid", HubBackend.gitId(blob.bytes()));
            if (blob.lfs()) {
                entry.put("lfs", Map.of("oid", sha256(blob.bytes()), "size", blob.bytes().length, "pointerSize", 130));
            }
            entries.add(entry.build());
        });
        entries.add(JsonObject.builder()
                .put("type", "directory")
                .put("path", "sub")
                .put("size", 0)
                .build());
        List<Object> page = second ? entries.subList(1, entries.size()) : entries.subList(0, 1);
        String list = skulk.api.json.Json.of(page).toString();
        String next =
                "<%s/api/models/%s/tree/%s?recursive=true&cursor=x>; rel=\"next\"".formatted(endpoint(), model, commit);
        return second ? json(list) : json(list, "Link", next);
    }

    private Reply file(String model, String path, Request request) {
        Blob blob = models.get(model).get(path);
        if (blob == null) {
            return Reply.of(404, new byte[0], "X-Error-Code", "EntryNotFound");
        }
        if (!blob.lfs()) {
            return bytes(blob.bytes(), request);
        }
        return Reply.of(
                302,
                new byte[0],
                "Location",
                "http://localhost:%d/cdn/%s/%s".formatted(server.getLocalPort(), model, path),
                "X-Linked-Etag",
                '"' + sha256(blob.bytes()) + '"');
    }

    private Reply bytes(byte[] content, Request request) {
        Optional<String> range = request.header("range");
        if (range.isEmpty()) {
            fileBytes.addAndGet(content.length);
            return Reply.of(200, content);
        }
        String[] ends = range.get().substring(6).split("-");
        int from = Integer.parseInt(ends[0]);
        if (from >= content.length) {
            return Reply.of(416, new byte[0], "Content-Range", "bytes */" + content.length);
        }
        int to = Math.min(content.length, Integer.parseInt(ends[1]) + 1);
        fileBytes.addAndGet(to - from);
        return Reply.of(
                206,
                Arrays.copyOfRange(content, from, to),
                "Content-Range",
                "bytes %d-%d/%d".formatted(from, to - 1, content.length));
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        server.close();
    }
}
