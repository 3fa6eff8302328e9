package skulk.runner.mlx.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import skulk.runner.mlx.model.SyntheticCheckpoint;

/**
 * The checkpoint to measure: the one that {@code --model} names, or one of a real shape with random weights, which is deleted at the end.
 *
 * @param made here
 */
record BenchFolder(Path path, Optional<SyntheticCheckpoint.Temporary> made) implements AutoCloseable {

    /** @throws IllegalArgumentException where the options name neither a model nor a known shape */
    static BenchFolder of(Options options) throws IOException {
        if (options.has("model")) {
            return new BenchFolder(Path.of(options.text("model").get()), Optional.empty());
        }
        String shape = options.text("synthetic")
                .orElseThrow(() -> new IllegalArgumentException("--synthetic, --model or --url is needed"));
        SyntheticCheckpoint.Temporary made =
                SyntheticCheckpoint.temporary(shape, options.number("bits", 4), options.number("group", 64));
        return new BenchFolder(made.folder(), Optional.of(made));
    }

    @Override
    public void close() throws IOException {
        if (made.isPresent()) {
            made.get().close();
        }
    }
}
