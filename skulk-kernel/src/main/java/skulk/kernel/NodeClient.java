package skulk.kernel;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;

/** What commands ask a running node over its HTTP API. */
final class NodeClient {
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private final String url;
    private final Optional<String> key;

    /** @param key API key, where the node wants one */
    NodeClient(String url, Optional<String> key) {
        this.url = url.replaceAll("/+$", "");
        this.key = key;
    }

    String url() {
        return url;
    }

    /** An answer that may be a refusal. */
    record Reply(int status, Json body) {
        boolean ok() {
            return status == 200;
        }

        JsonObject object() {
            return body instanceof JsonObject object ? object : JsonObject.EMPTY;
        }

        /** The reason of a refusal. */
        String message() {
            return object().object("error").flatMap(e -> e.string("message")).orElse("HTTP " + status + ": " + body);
        }
    }

    Reply ask(String method, String path, Optional<Json> body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofSeconds(120))
                .header("Content-Type", "application/json")
                .method(
                        method,
                        body.map(b -> HttpRequest.BodyPublishers.ofByteArray(b.toBytes()))
                                .orElse(HttpRequest.BodyPublishers.noBody()));
        key.ifPresent(k -> request.header("Authorization", "Bearer " + k));
        try {
            HttpResponse<byte[]> response = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            return new Reply(response.statusCode(), Json.parse(response.body()));
        } catch (java.net.ConnectException e) {
            throw new IOException(
                    "no node answers at " + url + "; start one with 'skulk serve' or name it with --url", e);
        } catch (JsonException e) {
            throw new IOException(url + path + " does not answer like a Skulk node: " + e.getMessage(), e);
        }
    }

    /** The answer to a question that must succeed. */
    JsonObject get(String path) throws IOException, InterruptedException {
        return checked(ask("GET", path, Optional.empty()), path).object();
    }

    JsonObject post(String path, Json body) throws IOException, InterruptedException {
        return checked(ask("POST", path, Optional.of(body)), path).object();
    }

    private static Reply checked(Reply reply, String path) throws IOException {
        if (!reply.ok()) {
            throw new IOException(path + ": " + reply.message());
        }
        return reply;
    }
}
