package skulk.kernel.cluster;

import java.nio.ByteBuffer;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.Records;

/**
 * Messages as bytes: one byte version, one byte kind, eight bytes epoch (big-endian), then the JSON of {@link Records}.
 *
 * <p>Within a version, records may get new members that mean something when they are absent (an Optional, a List, a Set or a Map; readers ignore what they do not
 * know), and there may be new records (readers drop them). Any other change raises {@link #VERSION} and the project's minor version with it, by which nodes are
 * refused when they join: so a message of another version is only met in the moment of an upgrade. A test holds the shapes of all records to this.
 */
final class Wire {
    static final byte VERSION = 2;
    private static final int HEADER = 10;

    private Wire() {}

    /** A message with the membership epoch its sender was in. */
    record Envelope(long epoch, Message message) {}

    static byte[] encode(Message message, long epoch) {
        byte[] body = Records.toJson(message).toBytes();
        return ByteBuffer.allocate(HEADER + body.length)
                .put(VERSION)
                .put(kind(message))
                .putLong(epoch)
                .put(body)
                .array();
    }

    /** Whether a message is of another version of this format. */
    static boolean foreign(byte[] bytes) {
        return bytes.length < HEADER || bytes[0] != VERSION;
    }

    /** The message, or empty where it is {@link #foreign} or not understood. */
    static Optional<Envelope> decode(byte[] bytes) {
        if (foreign(bytes)) {
            return Optional.empty();
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes, 2, bytes.length - 2);
        long epoch = buffer.getLong();
        byte[] body = new byte[buffer.remaining()];
        buffer.get(body);
        try {
            return Optional.of(new Envelope(epoch, Records.fromJson(Json.parse(body), Message.class)));
        } catch (JsonException e) {
            System.getLogger(Wire.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "message of kind {0} not understood: {1}",
                            bytes[1],
                            e.getMessage());
            return Optional.empty();
        }
    }

    private static byte kind(Message message) {
        return switch (message) {
            case Message.Control c -> 0;
            case Message.Telemetry t -> 1;
            case Message.RankEndpoint e -> 2;
            case Message.ProbeEndpoint e -> 2;
            case Message.Data d -> 3;
            case Message.Call c -> 4;
        };
    }
}
