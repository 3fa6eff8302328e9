package skulk.membership.solo;

import java.util.List;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;

/** A membership with one member, which coordinates itself; nothing is ever sent. */
final class SoloMembership implements Membership {
    @Override
    public String name() {
        return "solo";
    }

    @Override
    public Member join(NodeProfile self, Listener listener) {
        listener.viewChanged(new MembershipView(1, List.of(self)));
        return new Seat();
    }

    private record Seat() implements Member {
        @Override
        public void send(NodeId to, byte[] bytes) {
            // nobody else is there: lost, as a message to a member that has left
        }

        @Override
        public void broadcast(byte[] bytes) {
            // every other member: none
        }

        @Override
        public void close() {
            // nothing was opened
        }
    }
}
