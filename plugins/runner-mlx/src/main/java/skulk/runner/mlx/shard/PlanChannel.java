package skulk.runner.mlx.shard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import skulk.runner.mlx.schedule.StepPlan;

/**
 * Messages between rank 0 and one follower beside the activations, in order with them. A frame is a head of {@link #HEAD} bytes, holding kind, length of the
 * payload and its beginning, and a second message with the rest where there is one: a step's plan nearly always fits the head.
 */
final class PlanChannel {
    static final int HEAD = 512;
    private static final int FIELDS = 8;
    private static final int MOST = 64 << 20;

    /** What rank 0 says. */
    sealed interface Frame {
        /** A step to take. */
        record Plan(StepPlan plan) implements Frame {}

        /** The warm-up is over, requests may come. */
        record Ready() implements Frame {}

        /** The instance ends. */
        record Shutdown() implements Frame {}
    }

    private final Wire wire;
    private final byte[] head = new byte[HEAD];

    PlanChannel(Wire wire) {
        this.wire = wire;
    }

    void send(Frame frame) {
        switch (frame) {
            case Frame.Plan(StepPlan plan) -> send(0, plan.encode());
            case Frame.Ready() -> send(1, new byte[0]);
            case Frame.Shutdown() -> send(2, new byte[0]);
        }
    }

    /** A plan that was encoded already: one encoding serves all followers. */
    void sendPlan(byte[] encoded) {
        send(0, encoded);
    }

    private void send(int kind, byte[] payload) {
        int within = Math.min(payload.length, HEAD - FIELDS);
        ByteBuffer.wrap(head).putInt(kind).putInt(payload.length).put(payload, 0, within);
        wire.send(head, 0, HEAD);
        if (payload.length > within) {
            wire.send(payload, within, payload.length - within);
        }
    }

    /** The next frame; blocks. @throws UncheckedIOException where the link is gone or sends something else */
    Frame receive() {
        wire.receive(head, 0, HEAD);
        ByteBuffer fields = ByteBuffer.wrap(head);
        int kind = fields.getInt();
        int length = fields.getInt();
        if (length < 0 || length > MOST) {
            throw new UncheckedIOException(new IOException("a plan of " + length + " bytes"));
        }
        byte[] payload = Arrays.copyOfRange(head, FIELDS, FIELDS + length); // zeros for what follows
        int within = Math.min(length, HEAD - FIELDS);
        if (length > within) {
            wire.receive(payload, within, length - within);
        }
        return switch (kind) {
            case 0 -> new Frame.Plan(StepPlan.decode(payload));
            case 1 -> new Frame.Ready();
            case 2 -> new Frame.Shutdown();
            default -> throw new UncheckedIOException(new IOException("a frame of kind " + kind));
        };
    }
}
