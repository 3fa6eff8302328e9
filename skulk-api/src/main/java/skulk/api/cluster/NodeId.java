package skulk.api.cluster;

import java.util.Objects;
import java.util.UUID;
import skulk.api.json.Records;

/** A node for the life of its process; a new one is made at each start (runbook, "Node IDs are per-session"). */
public record NodeId(String value) implements Records.Id {
    public NodeId {
        Objects.requireNonNull(value, "value");
    }

    /** A new id, a random UUID. */
    public static NodeId random() {
        return new NodeId(UUID.randomUUID().toString());
    }

    @Override
    public String toString() {
        return value;
    }
}
