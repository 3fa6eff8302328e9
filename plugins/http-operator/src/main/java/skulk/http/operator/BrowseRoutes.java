package skulk.http.operator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import skulk.api.http.Exchange;
import skulk.api.http.Route;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Lists folders of the node, so that a person can choose one for the model store (contract section 1.5). Never shows files, never leaves its roots. */
final class BrowseRoutes {
    static final List<Path> ROOTS =
            Stream.of("/Volumes", "/home", "/mnt", "/tmp", "/opt").map(Path::of).toList();

    private final List<Path> roots;

    BrowseRoutes(List<Path> roots) {
        this.roots = List.copyOf(roots);
    }

    List<Route> routes() {
        return List.of(new Route("GET", "/filesystem/browse", Scope.ADMIN, this::browse));
    }

    /** Without a path: the roots that exist. */
    private void browse(Exchange exchange) throws IOException {
        Optional<String> asked = exchange.queryFirst("path").filter(p -> !p.isBlank() && !p.equals("/"));
        if (asked.isEmpty()) {
            exchange.respond(
                    listing("/", roots.stream().filter(Files::isDirectory).toList()));
            return;
        }
        Path folder = inside(asked.get());
        if (!Files.isDirectory(folder)) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "Not a directory: " + folder);
        }
        exchange.respond(listing(folder.toString(), subfolders(folder)));
    }

    /** The real path, links followed, so that no link leads out of the roots. */
    private Path inside(String text) throws IOException {
        try {
            Path path = Path.of(text).normalize();
            Path real = Files.exists(path) ? path.toRealPath() : path;
            for (Path root : roots) {
                Path realRoot = Files.exists(root) ? root.toRealPath() : root;
                if (path.isAbsolute() && real.startsWith(realRoot)) {
                    return real;
                }
            }
        } catch (InvalidPathException e) {
            throw new SkulkException(Problem.Kind.USER_ERROR, "Not a path: " + e.getMessage());
        } catch (AccessDeniedException e) {
            throw new SkulkException(Problem.Kind.FORBIDDEN, "Not readable: " + text);
        }
        throw new SkulkException(Problem.Kind.USER_ERROR, "Path outside allowed roots");
    }

    private static List<Path> subfolders(Path folder) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            entries.filter(Files::isDirectory)
                    .filter(p -> !p.getFileName().toString().startsWith("."))
                    .sorted()
                    .forEach(found::add);
        } catch (AccessDeniedException | UncheckedIOException e) {
            throw new SkulkException(Problem.Kind.FORBIDDEN, "Not readable: " + folder);
        }
        return found;
    }

    private static JsonObject listing(String path, List<Path> folders) {
        List<Json> entries = new ArrayList<>();
        for (Path folder : folders) {
            entries.add(JsonObject.builder()
                    .put("name", folder.getFileName().toString())
                    .put("path", folder.toString())
                    .build());
        }
        return JsonObject.builder()
                .put("path", path)
                .put("directories", entries)
                .build();
    }
}
