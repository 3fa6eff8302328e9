package skulk.api.cluster;

import java.util.Objects;
import java.util.UUID;
import skulk.api.json.Records;

/** One unit of work, numbered by the dispatcher; not the completion id a client sees. */
public record TaskId(String value) implements Records.Id {
    public TaskId {
        Objects.requireNonNull(value, "value");
    }

    /** A new id, a random UUID. */
    public static TaskId random() {
        return new TaskId(UUID.randomUUID().toString());
    }

    @Override
    public String toString() {
        return value;
    }
}
