package skulk.runner.mlx.text;

/** Reads the body of one tool call, character by character. */
interface CallReader {

    /** What has become of the body. */
    enum State {
        /** The character belongs to the body, more will follow. */
        MORE,
        /** The body ends with this character. */
        DONE,
        /** This is not a call. */
        REJECTED
    }

    State accept(char c);

    /** Whether the call was announced to the sink. */
    boolean started();
}
