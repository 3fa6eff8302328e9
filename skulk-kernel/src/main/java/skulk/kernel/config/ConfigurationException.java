package skulk.kernel.config;

/** A configuration that cannot be used; the message is one line for the operator and names the key and its place. */
public final class ConfigurationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ConfigurationException(String message) {
        super(message);
    }
}
