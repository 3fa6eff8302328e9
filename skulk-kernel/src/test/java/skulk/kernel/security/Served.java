package skulk.kernel.security;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import skulk.api.HttpFeature;
import skulk.api.http.Response;
import skulk.api.http.Route;
import skulk.api.json.Json;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Configuration.Setting;
import skulk.kernel.config.Key;
import skulk.kernel.config.Keys;
import skulk.kernel.http.HttpServer;
import skulk.kernel.plugin.Offers;

/** The kernel's HTTP server over a real socket, with routes of a test. */
final class Served implements AutoCloseable {
    final HttpServer server;
    final KeyStore keys;

    private record Feature(List<Route> routes) implements HttpFeature {
        @Override
        public String name() {
            return "test";
        }

        @Override
        public Response error(Problem problem) {
            return Response.json(problem.kind().status(), JsonObject.of("oops", problem.message()));
        }
    }

    Served(Path home, Map<Key<?>, Json> overrides, Route... routes) throws IOException {
        Map<String, Setting> values = new HashMap<>();
        values.put(Keys.API_PORT.name(), new Setting(JsonNumber.of(0), "test"));
        overrides.forEach((key, value) -> values.put(key.name(), new Setting(value, "test")));
        Configuration configuration = new Configuration(Path.of("skulk.yaml"), false, values, Map.of(), Map.of());
        keys = FileKeyStore.open(configuration.get(Keys.API_KEYS), home);
        server = HttpServer.start(configuration, keys);
        Feature feature = new Feature(List.of(routes));
        server.mount(new Offers(List.of(new Offers.Origin(feature, "test", Path.of("test"), feature.routes()))));
    }

    static Route echo() {
        return new Route(
                "POST", "/p", Route.Scope.INFER, x -> x.respond(Response.text(200, "read " + x.body().length)));
    }

    static Route hello() {
        return new Route("GET", "/a", Route.Scope.INFER, x -> x.respond(Response.text(200, "hello")));
    }

    int port() {
        return server.port();
    }

    /** Sends characters as bytes and reads until the server closes. */
    String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
