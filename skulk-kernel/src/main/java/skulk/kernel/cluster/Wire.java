package skulk.kernel.cluster;

import java.nio.ByteBuffer;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.Records;

/**
 * Messages as bytes: one byte version, one byte kind, eight bytes epoch (big-endian), then the JSON of {@link Records}.
 *
 * <p>A version that differs is dropped by the receiver: nodes of an incompatible version are refused at join, so this only guards the moment of an upgrade. New
 * members of records may be added within a version (readers ignore what they do not know), new kinds of messages as well (readers drop them).
 */
final class Wire {
    static final byte VERSION = 1;
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

    /** The message, or empty where it is of another version or not understood. */
    static Optional<Envelope> decode(byte[] bytes) {
        if (bytes.length < HEADER || bytes[0] != VERSION) {
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
