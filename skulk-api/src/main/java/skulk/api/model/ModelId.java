package skulk.api.model;

import java.util.regex.Pattern;
import skulk.api.json.Records;

/** A model's name as the hub has it, {@code org/name}; a name without an organisation is allowed. */
public record ModelId(String value) implements Records.Id {
    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?");

    /** @throws IllegalArgumentException where the text could not name a model, so that an id is always safe in a path */
    public ModelId {
        if (value.length() > 200 || !VALID.matcher(value).matches() || value.contains("..")) {
            throw new IllegalArgumentException("not a model id (org/name): '" + value + "'");
        }
    }

    /** The directory name of a staged copy, {@code org--name} (runbook, "How staged copies work"). */
    public String directoryName() {
        return value.replace("/", "--");
    }

    /** The id of a directory name, the inverse of {@link #directoryName()}. */
    public static ModelId ofDirectory(String name) {
        int at = name.indexOf("--");
        return new ModelId(at < 0 ? name : name.substring(0, at) + "/" + name.substring(at + 2));
    }

    /** The part after the slash. */
    public String shortName() {
        return value.substring(value.indexOf('/') + 1);
    }

    @Override
    public String toString() {
        return value;
    }
}
