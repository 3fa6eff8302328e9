package skulk.kernel.cluster;

import java.util.List;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;

/** A cluster of one, for a node that no membership plugin was configured for; opens no port. */
public final class SoloMembership implements Membership {
    static final String NAME = "solo";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Member join(NodeProfile self, Listener listener) {
        listener.viewChanged(new MembershipView(1, List.of(self)));
        return new Member() {
            @Override
            public void send(NodeId to, byte[] bytes) {
                if (to.equals(self.id())) {
                    listener.message(to, bytes);
                }
            }

            @Override
            public void broadcast(byte[] bytes) {}

            @Override
            public void close() {}
        };
    }
}
