package skulk.runner.mlx.checkpoint;

/** A checkpoint folder cannot be used. The message names the file and, where there is one, the tensor or the field. */
public final class CheckpointException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
