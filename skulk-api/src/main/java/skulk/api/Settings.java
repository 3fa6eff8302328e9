package skulk.api;

import java.util.Optional;
import skulk.api.json.Json;

/**
 * A plugin's section of {@code skulk.yaml}, {@code plugins.<name>}. Reading declares a key: a key in the file that nobody reads before
 * {@link Plugin#start} returns fails the start and names the nearest declared one; {@code config explain} lists the declared keys.
 */
public interface Settings {
    /**
     * The value of a key.
     *
     * @param key dotted path within the section
     * @param meaning one line for {@code config explain} and the generated reference
     */
    Optional<Json> value(String key, String meaning);

    /** A text, or the default. @throws skulk.api.problem.SkulkException where the value has another type */
    String text(String key, String fallback, String meaning);

    /** A number, or the default. @throws skulk.api.problem.SkulkException where the value has another type */
    double number(String key, double fallback, String meaning);

    /** A truth value, or the default. @throws skulk.api.problem.SkulkException where the value has another type */
    boolean flag(String key, boolean fallback, String meaning);
}
