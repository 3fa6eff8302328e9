package skulk.runner.mlx.model;

import java.nio.file.Path;

/** Makes a decoder from a checkpoint folder as published: {@code config.json} and {@code *.safetensors}. */
public final class DecoderLoader {
    private DecoderLoader() {}

    /**
     * Loads, repacks and warms a model; blocks until it can serve at full speed.
     *
     * @throws skulk.runner.mlx.checkpoint.CheckpointException if the folder cannot be run, naming file and tensor
     */
    public static Decoder load(Path folder, LoadOptions options) {
        throw new skulk.runner.mlx.checkpoint.CheckpointException(
                folder + ": no architecture is registered yet");
    }
}
