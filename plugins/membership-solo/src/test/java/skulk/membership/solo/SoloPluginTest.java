package skulk.membership.solo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.api.fake.FakeContext;

class SoloPluginTest {
    private final NodeProfile self = new NodeProfile(NodeId.random(), "alone", "0.1.0", List.of(), 0, false);

    @RepeatedTest(2)
    void startsOffersAndStops() {
        SoloPlugin plugin = new SoloPlugin();
        var offers = plugin.start(FakeContext.create());
        assertEquals(1, offers.size());
        assertEquals(
                "solo", assertInstanceOf(Membership.class, offers.getFirst()).name());
        plugin.stop();
    }

    @Test
    void showsItselfAsTheCoordinatorBeforeJoinReturnsAndNeverHearsOfMessages() throws Exception {
        List<MembershipView> views = new ArrayList<>();
        List<byte[]> messages = new ArrayList<>();
        Membership.Listener listener = new Membership.Listener() {
            @Override
            public void viewChanged(MembershipView view) {
                views.add(view);
            }

            @Override
            public void message(NodeId from, byte[] bytes) {
                messages.add(bytes);
            }
        };
        try (Membership.Member member = new SoloMembership().join(self, listener)) {
            assertEquals(List.of(new MembershipView(1, List.of(self))), views);
            assertEquals(self.id(), views.getFirst().coordinator());
            member.broadcast(new byte[] {1});
            member.send(NodeId.random(), new byte[] {2});
        }
        assertEquals(List.of(), messages);
    }
}
