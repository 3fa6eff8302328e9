package skulk.storage.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.SkulkException;

/** The store's own HTTP surface, on its own port (contract section 8.2, "Store server"), for the members of the cluster alone. */
final class StoreServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(StoreServer.class.getName());
    /** Query that asks for the digests of a file's blocks instead of its bytes. */
    static final String DIGESTS = "digests";

    private static final Duration MAX_WAIT = Duration.ofSeconds(60);

    private final LocalStore store;
    private final FileSender sender;
    private final int port;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /** Keeps the port until it is known who may connect. */
    private Optional<ServerSocket> reserved;

    private Optional<HttpServer> http = Optional.empty();

    /**
     * Takes the port, and listens on it once it is known how the cluster's connections are secured: on all addresses where only members get in, else on loopback.
     *
     * @param tls of the cluster
     * @param port 0 = any free one
     * @param patience longest wait for bytes of a file that is being downloaded
     */
    StoreServer(LocalStore store, CompletableFuture<Optional<SSLContext>> tls, int port, Duration patience)
            throws IOException {
        this.store = store;
        this.sender = new FileSender(patience);
        try {
            ServerSocket socket = new ServerSocket(port);
            this.reserved = Optional.of(socket);
            this.port = socket.getLocalPort();
        } catch (BindException e) {
            throw new IOException("port %d is taken: set model_store.store_port to a free one".formatted(port), e);
        }
        tls.thenAccept(this::open);
    }

    private synchronized void open(Optional<SSLContext> tls) {
        if (reserved.isEmpty()) {
            return; // closed before the node had joined
        }
        try {
            reserved.get().close();
            reserved = Optional.empty();
            HttpServer server = tls.isPresent()
                    ? secured(tls.get())
                    : HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            server.setExecutor(threads);
            server.createContext("/", this::handle);
            server.start();
            http = Optional.of(server);
            LOG.log(
                    System.Logger.Level.INFO,
                    "the model store listens on port {0}, {1}: {2}",
                    Integer.toString(port),
                    tls.isPresent() ? "for members of the cluster" : "on loopback only",
                    store.root());
        } catch (IOException e) {
            LOG.log(System.Logger.Level.ERROR, "the model store cannot listen on port " + port, e);
        }
    }

    private HttpServer secured(SSLContext tls) throws IOException {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(port), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters wanted = getSSLContext().getDefaultSSLParameters();
                wanted.setNeedClientAuth(true);
                parameters.setSSLParameters(wanted);
            }
        });
        return server;
    }

    int port() {
        return port;
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            String path = exchange.getRequestURI().getRawPath();
            String method = exchange.getRequestMethod();
            try {
                route(exchange, method, path);
            } catch (SkulkException e) {
                fail(exchange, e.problem().kind().status(), e.getMessage());
            } catch (IllegalArgumentException e) {
                fail(exchange, 400, e.getMessage());
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a request to the store ended early", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a request to the store failed", e);
        }
    }

    private void route(HttpExchange exchange, String method, String path) throws IOException, InterruptedException {
        List<String> parts = Arrays.asList(path.substring(1).split("/", -1));
        String first = parts.getFirst();
        boolean get = method.equals("GET");
        if (get && parts.size() == 1) {
            switch (first) {
                case "health" -> health(exchange);
                case "registry" ->
                    send(
                            exchange,
                            array(store.registry().stream()
                                    .map(Store.Entry::toJson)
                                    .toList()));
                case "models" ->
                    send(
                            exchange,
                            array(store.registry().stream()
                                    .map(e -> Json.of(e.modelId().value()))
                                    .toList()));
                case "downloads" ->
                    send(
                            exchange,
                            array(store.downloads().stream()
                                    .map(p -> p.toJson(false))
                                    .toList()));
                default -> fail(exchange, 404, "no such path: " + path);
            }
        } else if (first.equals("models") && parts.size() >= 2) {
            ModelId model = new ModelId(decode(parts.get(1)));
            model(exchange, method, model, parts.subList(2, parts.size()));
        } else {
            fail(exchange, 404, "no such path: " + path);
        }
    }

    private void model(HttpExchange exchange, String method, ModelId model, List<String> rest)
            throws IOException, InterruptedException {
        if (method.equals("DELETE") && rest.isEmpty()) {
            if (store.delete(model)) {
                send(
                        exchange,
                        JsonObject.builder()
                                .put("model_id", model.value())
                                .put("deleted", true)
                                .build());
            } else {
                fail(exchange, 404, "Model %s not in store".formatted(model));
            }
        } else if (method.equals("POST") && rest.equals(List.of("download"))) {
            send(exchange, store.download(model, waitOf(exchange)).toJson(false));
        } else if (method.equals("GET") && rest.equals(List.of("download", "status"))) {
            send(exchange, store.status(model).map(p -> p.toJson(false)).orElse(JsonObject.of("status", "not_found")));
        } else if (method.equals("GET") && rest.equals(List.of("files"))) {
            files(exchange, model);
        } else if (method.equals("GET") && !rest.isEmpty()) {
            file(
                    exchange,
                    model,
                    String.join("/", rest.stream().map(StoreServer::decode).toList()));
        } else {
            fail(exchange, 405, "Method Not Allowed");
        }
    }

    private void health(HttpExchange exchange) throws IOException {
        Store.Health health = store.health();
        send(
                exchange,
                JsonObject.builder()
                        .put("store_path", health.storePath())
                        .put("free_bytes", health.freeBytes())
                        .put("total_bytes", health.totalBytes())
                        .put("used_bytes", health.usedBytes())
                        .build());
    }

    private void files(HttpExchange exchange, ModelId model) throws IOException {
        Optional<ModelManifest> manifest = store.files(model);
        if (manifest.isEmpty()) {
            fail(exchange, 404, "Model %s not in store".formatted(model));
            return;
        }
        List<Json> files =
                manifest.get().files().stream().map(StoreServer::file).toList();
        send(
                exchange,
                JsonObject.builder()
                        .put("model_id", model.value())
                        .put("revision", manifest.get().revision())
                        .put("files", files)
                        .build());
    }

    private static Json file(ModelFile file) {
        return JsonObject.builder()
                .put("path", file.path())
                .put("size", file.size())
                .put("sha256", file.sha256())
                .build();
    }

    private void file(HttpExchange exchange, ModelId model, String path) throws IOException, InterruptedException {
        ModelFile asked = new ModelFile(path, 0, Optional.empty()); // refuses paths that leave the folder
        Optional<ModelFile> file = StoreFolder.hidden(asked.path())
                ? Optional.empty()
                : store.files(model).stream()
                        .flatMap(m -> m.files().stream())
                        .filter(f -> f.path().equals(asked.path()))
                        .findFirst();
        if (file.isEmpty()) {
            fail(exchange, 404, "%s has no file '%s' in store".formatted(model, path));
            return;
        }
        StoreFolder folder = StoreFolder.of(store.root(), model);
        if (folder.available(file.get(), 0) < file.get().size() && !folder.complete()) {
            store.resume(model);
        }
        if (DIGESTS.equals(exchange.getRequestURI().getRawQuery())) {
            digests(exchange, folder, file.get());
        } else {
            sender.send(exchange, folder, file.get());
        }
    }

    /** The SHA-256 of each block, once the whole is verified; 503 where that takes too long, so that the reader asks again. */
    private void digests(HttpExchange exchange, StoreFolder folder, ModelFile file)
            throws IOException, InterruptedException {
        if (!sender.awaitWhole(folder, file)) {
            fail(exchange, 503, "%s is not whole yet".formatted(file.path()));
            return;
        }
        byte[] digests = folder.digests(file);
        exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
        exchange.sendResponseHeaders(200, digests.length == 0 ? -1 : digests.length);
        exchange.getResponseBody().write(digests);
    }

    private static Duration waitOf(HttpExchange exchange) {
        String query =
                Optional.ofNullable(exchange.getRequestURI().getRawQuery()).orElse("");
        if (query.matches("wait=[0-9]{1,3}")) {
            Duration wait = Duration.ofSeconds(Long.parseLong(query.substring(5)));
            return wait.compareTo(MAX_WAIT) > 0 ? MAX_WAIT : wait;
        }
        return Duration.ofSeconds(2);
    }

    private static String decode(String segment) {
        return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static Json array(List<? extends Json> items) {
        return new JsonArray(List.copyOf(items));
    }

    private static void send(HttpExchange exchange, Json value) throws IOException {
        send(exchange, 200, value);
    }

    static void fail(HttpExchange exchange, int status, String message) throws IOException {
        send(exchange, status, JsonObject.of("error", message));
    }

    private static void send(HttpExchange exchange, int status, Json value) throws IOException {
        byte[] body = value.toBytes();
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public synchronized void close() {
        try {
            if (reserved.isPresent()) {
                reserved.get().close();
                reserved = Optional.empty();
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "closing", e);
        }
        http.ifPresent(server -> server.stop(0));
        threads.shutdownNow();
        threads.close();
    }
}
