package skulk.api.json;

/** Text that is not JSON, or JSON that has not the shape asked for. */
public final class JsonException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int position;

    /**
     * @param message what is wrong
     * @param position the character at which parsing stopped, or -1 where the text itself was fine
     */
    public JsonException(String message, int position) {
        super(position < 0 ? message : message + " at position " + position);
        this.position = position;
    }

    /** The character at which parsing stopped, or -1. */
    public int position() {
        return position;
    }
}
