package skulk.runner.mlx.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import skulk.runner.mlx.model.SyntheticCheckpoint;

/**
 * The checkpoint to measure: the one that {@code --model} names, or one of a real shape with random weights, which is deleted at the end.
 *
 * @param temporary made here
 */
record BenchFolder(Path path, boolean temporary) implements AutoCloseable {

    /** @throws IllegalArgumentException where the options name neither a model nor a known shape */
    static BenchFolder of(Options options) throws IOException {
        if (options.has("model")) {
            return new BenchFolder(Path.of(options.text("model").get()), false);
        }
        String shape = options.text("synthetic")
                .orElseThrow(() -> new IllegalArgumentException("--synthetic, --model or --url is needed"));
        BenchFolder folder = new BenchFolder(Files.createTempDirectory("skulk-bench"), true);
        try {
            SyntheticCheckpoint.write(folder.path, shape, options.number("bits", 4), options.number("group", 64));
            return folder;
        } catch (IOException | RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        if (!temporary) {
            return;
        }
        try (var files = Files.walk(path)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
