package skulk.kernel.plugin;

import java.util.Optional;

/**
 * A version of the API for the one question whether a plugin compiled against it runs with another: same major and not a newer minor; while the major is 0,
 * the same minor.
 */
record ApiVersion(int major, int minor) {

    /** Reads {@code major.minor…}; empty where the text does not begin with two numbers. */
    static Optional<ApiVersion> parse(String text) {
        String[] parts = text.split("[.+-]", 3);
        if (parts.length < 2) {
            return Optional.empty();
        }
        try {
            return Optional.of(new ApiVersion(Integer.parseInt(parts[0]), Integer.parseInt(parts[1])));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    boolean runs(ApiVersion compiled) {
        return major == compiled.major && (major == 0 ? minor == compiled.minor : minor >= compiled.minor);
    }
}
