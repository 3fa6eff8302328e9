package skulk.kernel;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * {@code skulk warm}: rehearses a start and the common requests in a home of its own, on a free port of this machine. Run by the build while Java records
 * the ahead-of-time cache (JEP 514), which then spares later starts the loading and linking.
 */
final class WarmCommand {
    private static final List<String> PATHS =
            List.of("/livez", "/readyz", "/state", "/plugins", "/v1/models", "/node_id", "/metrics", "/nowhere");

    private final Map<String, String> environment;

    WarmCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    int run() throws IOException, InterruptedException {
        Path home = Files.createTempDirectory("skulk-warm");
        List<String> arguments = List.of("-q", "--api-port", "0", "--offline", "--home", home.toString());
        CommandLine line = CommandLine.parse(arguments, ServeOptions.options());
        try (Node node = ServeCommand.start(ServeOptions.select(line, environment));
                HttpClient client = HttpClient.newHttpClient()) {
            String url = node.url().orElseThrow();
            for (String path : PATHS) {
                client.send(
                        HttpRequest.newBuilder(URI.create(url + path))
                                .version(HttpClient.Version.HTTP_1_1)
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        HttpResponse.BodyHandlers.ofByteArray()); // any status will do: the classes count
            }
        } finally {
            Folders.delete(home);
        }
        return 0;
    }
}
