package skulk.storage.store;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** The store from another node, over HTTP, secured as the cluster's connections are. */
final class RemoteStore implements Store {
    private static final int CONNECT_MILLIS = 3_000;
    private static final int MAX_ANSWER = 64 << 20;
    /** Members prove the cluster's identity, not a host's. */
    private static final HostnameVerifier ANY_HOST = (host, session) -> true;

    private final Supplier<String> address;
    /** One for all connections: only those with the same one are used again. */
    private final CompletableFuture<Optional<SSLSocketFactory>> sockets;

    private final int readMillis;

    /**
     * @param address host and port, asked at each request: it may depend on what the cluster knows by then
     * @param tls of the cluster, complete once this node has joined
     */
    RemoteStore(Supplier<String> address, CompletableFuture<Optional<SSLContext>> tls, Duration readTimeout) {
        this.address = address;
        this.sockets = tls.thenApply(secured -> secured.map(SSLContext::getSocketFactory));
        this.readMillis = Math.toIntExact(readTimeout.toMillis());
    }

    /** Begins a request; nothing is sent until an answer is asked for. */
    HttpURLConnection connect(String method, String pathAndQuery, int extraMillis) throws IOException {
        if (!sockets.isDone()) {
            throw new IOException("this node has not joined its cluster yet");
        }
        Optional<SSLSocketFactory> secured = sockets.join();
        URI uri = URI.create((secured.isPresent() ? "https://" : "http://") + address.get() + pathAndQuery);
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        if (connection instanceof HttpsURLConnection https) {
            https.setSSLSocketFactory(secured.get());
            https.setHostnameVerifier(ANY_HOST);
        }
        connection.setInstanceFollowRedirects(false);
        connection.setConnectTimeout(CONNECT_MILLIS);
        connection.setReadTimeout(readMillis + extraMillis);
        connection.setRequestMethod(method);
        return connection;
    }

    /** The digests of a file's blocks; asks again as long as the store is still fetching the file. */
    byte[] digests(ModelId model, ModelFile file) throws IOException {
        while (true) {
            HttpURLConnection connection = connect("GET", path(model, file) + "?" + StoreServer.DIGESTS, 0);
            int status = connection.getResponseCode();
            if (status == 200) {
                try (InputStream in = connection.getInputStream()) {
                    return in.readNBytes(MAX_ANSWER);
                }
            }
            connection.disconnect();
            boolean coming = status == 503
                    && status(model)
                            .filter(p -> !p.status().equals(Progress.FAILED))
                            .isPresent();
            if (!coming) {
                throw new IOException("the store answered %d for the digests of %s".formatted(status, file.path()));
            }
        }
    }

    static String path(ModelId model, ModelFile file) {
        return path(model) + "/"
                + String.join(
                        "/",
                        Arrays.stream(file.path().split("/"))
                                .map(RemoteStore::encode)
                                .toList());
    }

    private static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    static String path(ModelId model) {
        return "/models/" + URLEncoder.encode(model.value(), StandardCharsets.UTF_8);
    }

    private record Answer(int status, Json body) {
        JsonObject object() throws IOException {
            if (body instanceof JsonObject object) {
                return object;
            }
            throw new IOException("the store's answer is not an object");
        }

        List<JsonObject> objects() throws IOException {
            if (!(body instanceof JsonArray array)) {
                throw new IOException("the store's answer is not a list");
            }
            List<JsonObject> list = new ArrayList<>();
            for (Json item : array) {
                if (item instanceof JsonObject object) {
                    list.add(object);
                }
            }
            return list;
        }
    }

    private Answer ask(String method, String path, int extraMillis) throws IOException {
        HttpURLConnection connection = connect(method, path, extraMillis);
        int status = connection.getResponseCode();
        InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream();
        try (InputStream in = body == null ? InputStream.nullInputStream() : body) {
            Json json = Json.parse(in.readNBytes(MAX_ANSWER));
            if (status >= 400 && status != 404) {
                throw refused(status, json);
            }
            return new Answer(status, json);
        } catch (JsonException e) {
            throw new IOException("the store answered %d with something else than JSON".formatted(status), e);
        }
    }

    /** A problem that the store tells is passed on; an answer that it should not give is a failure to reach it. */
    private static SkulkException refused(int status, Json body) throws IOException {
        String message = body instanceof JsonObject o ? o.string("error").orElse(o.toString()) : body.toString();
        for (Problem.Kind kind : Problem.Kind.values()) {
            if (kind.status() == status && status != 401) {
                return new SkulkException(kind, message);
            }
        }
        throw new IOException("the store answered %d: %s".formatted(status, message));
    }

    @Override
    public Health health() throws IOException {
        JsonObject health = ask("GET", "/health", 0).object();
        return new Health(
                health.string("store_path").orElse(""),
                health.integer("free_bytes").orElse(0L),
                health.integer("total_bytes").orElse(0L),
                health.integer("used_bytes").orElse(0L));
    }

    @Override
    public List<Entry> registry() throws IOException {
        return ask("GET", "/registry", 0).objects().stream().map(Entry::of).toList();
    }

    @Override
    public List<Progress> downloads() throws IOException {
        return ask("GET", "/downloads", 0).objects().stream().map(Progress::of).toList();
    }

    @Override
    public Progress download(ModelId model, Duration wait) throws IOException {
        Answer answer =
                ask("POST", path(model) + "/download?wait=" + wait.toSeconds(), Math.toIntExact(wait.toMillis()));
        if (answer.status() == 404) {
            throw new SkulkException(
                    Problem.Kind.NOT_FOUND, answer.object().string("error").orElse("no source has " + model));
        }
        return Progress.of(answer.object());
    }

    @Override
    public Optional<Progress> status(ModelId model) throws IOException {
        JsonObject status = ask("GET", path(model) + "/download/status", 0).object();
        return status.string("status").filter("not_found"::equals).isPresent()
                ? Optional.empty()
                : Optional.of(Progress.of(status));
    }

    @Override
    public boolean delete(ModelId model) throws IOException {
        return ask("DELETE", path(model), 0).status() != 404;
    }

    @Override
    public Optional<ModelManifest> files(ModelId model) throws IOException {
        Answer answer = ask("GET", path(model) + "/files", 0);
        if (answer.status() == 404) {
            return Optional.empty();
        }
        try {
            List<ModelFile> files = new ArrayList<>();
            for (Json item : answer.object().array("files").orElse(JsonArray.of())) {
                if (item instanceof JsonObject file) {
                    files.add(new ModelFile(
                            file.string("path").orElse(""), file.integer("size").orElse(0L), file.string("sha256")));
                }
            }
            String revision = answer.object().string("revision").orElse("");
            return Optional.of(new ModelManifest(model, revision, "store", files));
        } catch (IllegalArgumentException | JsonException e) {
            throw new IOException(
                    "the store's list of files of %s is malformed: %s".formatted(model, e.getMessage()), e);
        }
    }
}
