package skulk.dashboard;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The dashboard's files, read once out of the plugin's module. Only what {@code web/files.txt} lists exists, so no request can name anything else. */
record Assets(Map<String, Asset> files) {
    Assets {
        files = Map.copyOf(files);
    }

    static Assets load() {
        Map<String, Asset> files = new LinkedHashMap<>();
        new String(read("files.txt"), StandardCharsets.UTF_8)
                .lines()
                .filter(name -> !name.isBlank())
                .forEach(name -> files.put(name, Asset.of(name, read(name))));
        return new Assets(files);
    }

    Optional<Asset> find(String name) {
        return Optional.ofNullable(files.get(name));
    }

    private static byte[] read(String name) {
        try (InputStream in = Assets.class.getResourceAsStream("web/" + name)) {
            if (in == null) {
                throw new IllegalStateException("the dashboard was packed without web/" + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
