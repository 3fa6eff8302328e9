package skulk.api.cluster;

import java.util.Objects;
import java.util.UUID;
import skulk.api.json.Records;

/** One rank of one instance. */
public record RunnerId(String value) implements Records.Id {
    public RunnerId {
        Objects.requireNonNull(value, "value");
    }

    /** A new id, a random UUID. */
    public static RunnerId random() {
        return new RunnerId(UUID.randomUUID().toString());
    }

    @Override
    public String toString() {
        return value;
    }
}
