package skulk.kernel.cluster;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;

/** A membership in memory: the nodes of one process, in order of joining, with messages delivered by the sender's thread. */
public final class Hub {
    private final Map<NodeId, Seat> seats = new LinkedHashMap<>();
    private final Set<List<NodeId>> lost = new HashSet<>();
    private long epoch;

    private record Seat(NodeProfile profile, Membership.Listener listener) {}

    /** What one node joins with. */
    public Membership membership() {
        return new Membership() {
            @Override
            public String name() {
                return "hub";
            }

            @Override
            public Member join(NodeProfile self, Listener listener) {
                return Hub.this.join(self, listener);
            }
        };
    }

    private synchronized Membership.Member join(NodeProfile self, Membership.Listener listener) {
        seats.put(self.id(), new Seat(self, listener));
        announce();
        return new Membership.Member() {
            @Override
            public void send(NodeId to, byte[] bytes) {
                deliver(self.id(), to, bytes);
            }

            @Override
            public void broadcast(byte[] bytes) {
                for (NodeId to : others(self.id())) {
                    deliver(self.id(), to, bytes);
                }
            }

            @Override
            public void close() {
                cut(self.id());
            }
        };
    }

    private synchronized List<NodeId> others(NodeId self) {
        return seats.keySet().stream().filter(n -> !n.equals(self)).toList();
    }

    /** What one node sends to another is lost from now on; both stay members. */
    public synchronized void lose(NodeId from, NodeId to) {
        lost.add(List.of(from, to));
    }

    private synchronized void deliver(NodeId from, NodeId to, byte[] bytes) {
        Seat seat = seats.get(to);
        if (seat != null && seats.containsKey(from) && !lost.contains(List.of(from, to))) {
            seat.listener().message(from, bytes);
        }
    }

    /** A node is gone, as the others see it. */
    public synchronized void cut(NodeId node) {
        if (seats.remove(node) != null && !seats.isEmpty()) {
            announce();
        }
    }

    private void announce() {
        epoch++;
        List<NodeProfile> members = new ArrayList<>();
        seats.values().forEach(s -> members.add(s.profile()));
        seats.values().forEach(s -> s.listener().viewChanged(new MembershipView(epoch, members)));
    }
}
