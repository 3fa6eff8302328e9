package skulk.api.cluster;

import java.util.Objects;
import java.util.UUID;
import skulk.api.json.Records;

/** One client command; the {@code id} of a chat completion. */
public record CommandId(String value) implements Records.Id {
    public CommandId {
        Objects.requireNonNull(value, "value");
    }

    /** A new id, a random UUID. */
    public static CommandId random() {
        return new CommandId(UUID.randomUUID().toString());
    }

    @Override
    public String toString() {
        return value;
    }
}
