package skulk.http.ollama;

import skulk.api.dialect.DialectBody;
import skulk.api.model.ModelId;

/** How Ollama's clients name models. */
final class Models {
    private static final String LATEST = ":latest";

    private Models() {}

    /** The model's id, without the tag {@code latest} that clients add; a text that cannot name a model names none that is placed. */
    static ModelId id(String name) {
        return DialectBody.model(name.endsWith(LATEST) ? name.substring(0, name.length() - LATEST.length()) : name);
    }
}
