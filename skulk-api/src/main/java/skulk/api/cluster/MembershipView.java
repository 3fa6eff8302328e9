package skulk.api.cluster;

import java.util.List;

/**
 * The members at one epoch, eldest first; the eldest coordinates.
 *
 * @param epoch rises with every view this node installs, also across merges
 */
public record MembershipView(long epoch, List<NodeProfile> members) {
    public MembershipView {
        members = List.copyOf(members);
    }

    /** The member whose word counts. */
    public NodeId coordinator() {
        return members.getFirst().id();
    }
}
