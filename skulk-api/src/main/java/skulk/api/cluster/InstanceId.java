package skulk.api.cluster;

import java.util.Objects;
import java.util.UUID;
import skulk.api.json.Records;

/** One placed model. */
public record InstanceId(String value) implements Records.Id {
    public InstanceId {
        Objects.requireNonNull(value, "value");
    }

    /** A new id, a random UUID. */
    public static InstanceId random() {
        return new InstanceId(UUID.randomUUID().toString());
    }

    @Override
    public String toString() {
        return value;
    }
}
