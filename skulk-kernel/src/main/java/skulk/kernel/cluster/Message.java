package skulk.kernel.cluster;

import java.util.List;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeInfo;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.Json;
import skulk.api.problem.Problem;

/**
 * Everything nodes tell each other, over whatever {@link skulk.api.Membership} is configured. Framing and versions: {@link Wire}.
 *
 * <p>Three planes that never mix: {@link Control} carries an order, {@link Telemetry} is lossy, {@link Data} and calls go straight to the node meant.
 */
public sealed interface Message {

    /** Kept in order, dropped where it comes from an older membership view. */
    sealed interface Control extends Message {
        /** To the coordinator, after every view change. @param leading whether the sender coordinated in its last view */
        record Hello(Reign reign, long lastIdx, boolean leading) implements Control {}

        /** To the coordinator: facts to number. */
        record Report(List<Reported> events) implements Control {}

        /** From the coordinator, to a member that reported what had been numbered before. */
        record Acknowledge(List<String> eventIds) implements Control {}

        /** From the coordinator: numbered events, the first with this number. */
        record Numbered(Reign reign, long first, List<Reported> events) implements Control {}

        /** From the coordinator, or asked for by it: the whole state. */
        record Snapshot(Reign reign, ClusterState state) implements Control {}

        /** The coordinator asks for a state that is older in origin or further on than its own. */
        record WantSnapshot() implements Control {}
    }

    /** What a node tells of itself; the newest wins. */
    record Telemetry(NodeInfo info) implements Message {}

    /**
     * Where a rank listens for the other ranks of its instance.
     *
     * @param key one-time secret that both ends of a link prove they know, base64
     */
    record RankEndpoint(InstanceId instance, int rank, List<String> addresses, int port, byte[] key)
            implements Message {}

    /** Where a node answers measurements of the way to it. */
    record ProbeEndpoint(List<String> addresses, int port, int apiPort) implements Message {}

    /** Requests and what comes back, between the node that a client talks to and rank 0's. */
    sealed interface Data extends Message {
        /** @param attempt rises each time that the request is handed over anew after a loss */
        record Generate(InstanceId instance, int attempt, GenerationRequest request) implements Data {}

        record Deliver(CommandId command, int attempt, List<GenerationEvent> events) implements Data {}

        record Cancel(CommandId command) implements Data {}
    }

    /** A question with an answer; topics are the kernel's own. */
    sealed interface Call extends Message {
        record Ask(long call, String topic, Json body) implements Call {}

        record Answer(long call, Json body, Optional<Problem> problem) implements Call {}
    }
}
