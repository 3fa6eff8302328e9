package skulk.membership.jgroups;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.Event;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jgroups.stack.IpAddress;
import skulk.api.Membership;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;

/** This node's seat in a JGroups cluster. JGroups delivers on many threads; the listener hears everything on one, in order. */
final class Seat implements Membership.Member, Receiver {
    private static final System.Logger LOG = System.getLogger(Seat.class.getName());

    private final NodeProfile self;
    private final Membership.Listener listener;
    private final Optional<SSLContext> tls;
    private final ExecutorService delivery = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("membership").daemon().factory());
    private final CountDownLatch firstView = new CountDownLatch(1);
    private final CountDownLatch company = new CountDownLatch(1);
    private volatile Map<NodeId, Address> addresses = Map.of();
    private volatile Optional<String> refusal = Optional.empty();
    private volatile JChannel channel;

    Seat(NodeProfile self, Membership.Listener listener, Optional<SSLContext> tls) {
        this.self = self;
        this.listener = listener;
        this.tls = tls;
    }

    /** Connects and waits for the first view to have been heard. */
    void open(JChannel opened, String namespace) throws Exception {
        channel = opened;
        opened.addAddressGenerator(() -> MemberAddress.of(self));
        opened.setName(self.friendlyName());
        opened.setDiscardOwnMessages(true);
        opened.setReceiver(this);
        opened.connect(namespace);
        if (!firstView.await(10, TimeUnit.SECONDS)) {
            throw new IOException("no membership view within 10 s");
        }
    }

    /** The port that the channel has taken. */
    OptionalInt port() {
        JChannel open = channel;
        return open != null
                        && open.down(new Event(Event.GET_PHYSICAL_ADDRESS, open.getAddress()))
                                instanceof IpAddress bound
                ? OptionalInt.of(bound.getPort())
                : OptionalInt.empty();
    }

    boolean awaitCompany(long time, TimeUnit unit) throws InterruptedException {
        return company.await(time, unit);
    }

    /** Why this node must not stay, if there is a reason. */
    Optional<String> refusal() {
        return refusal;
    }

    @Override
    public void viewAccepted(View view) {
        deliver(() -> accept(view));
    }

    private void accept(View view) {
        List<NodeProfile> members = new ArrayList<>();
        Map<NodeId, Address> known = new HashMap<>();
        for (Address address : view.getMembers()) {
            Optional<NodeProfile> profile = MemberAddress.profile(address);
            Optional<String> objection =
                    profile.isEmpty() ? Optional.of("it is not a Skulk node") : objection(profile.get(), members);
            if (objection.isEmpty()) {
                members.add(profile.get());
                known.put(profile.get().id(), address);
            } else if (address.equals(channel.getAddress())) {
                refusal = objection;
            } else {
                LOG.log(System.Logger.Level.WARNING, "Refused a node: {0}", objection.get());
            }
        }
        addresses = Map.copyOf(known);
        if (refusal.isEmpty()) {
            listener.viewChanged(new MembershipView(view.getViewId().getId(), members));
        }
        firstView.countDown();
        if (view.size() > 1) {
            company.countDown();
        }
    }

    /** Why a member cannot stay beside its elders; every node comes to the same answer. */
    static Optional<String> objection(NodeProfile candidate, List<NodeProfile> elders) {
        for (NodeProfile elder : elders) {
            if (elder.friendlyName().equals(candidate.friendlyName())) {
                return Optional.of("a node named '" + candidate.friendlyName()
                        + "' is already in the cluster; start with another --name");
            }
        }
        if (!elders.isEmpty() && !line(elders.getFirst().version()).equals(line(candidate.version()))) {
            return Optional.of("node '%s' runs Skulk %s, the cluster runs %s"
                    .formatted(
                            candidate.friendlyName(),
                            candidate.version(),
                            elders.getFirst().version()));
        }
        return Optional.empty();
    }

    /** Major and minor version: what must be equal to understand each other. */
    private static String line(String version) {
        String[] parts = version.split("\\.");
        return parts.length < 2 ? version : parts[0] + "." + parts[1];
    }

    @Override
    public void receive(Message message) {
        byte[] bytes = new byte[message.getLength()];
        System.arraycopy(message.getArray(), message.getOffset(), bytes, 0, bytes.length);
        MemberAddress.profile(message.getSrc())
                .map(NodeProfile::id)
                .ifPresent(from -> deliver(() -> listener.message(from, bytes)));
    }

    /** What still arrives while the seat closes is nobody's any more. */
    private void deliver(Runnable event) {
        try {
            delivery.execute(event);
        } catch (RejectedExecutionException e) {
            LOG.log(System.Logger.Level.DEBUG, "event after closing");
        }
    }

    @Override
    public void send(NodeId to, byte[] bytes) {
        Address address = addresses.get(to);
        if (address != null) {
            transmit(address, bytes);
        }
    }

    @Override
    public void broadcast(byte[] bytes) {
        transmit(null, bytes);
    }

    private void transmit(Address to, byte[] bytes) {
        try {
            channel.send(new BytesMessage(to, bytes));
        } catch (Exception e) {
            LOG.log(System.Logger.Level.DEBUG, "message lost, the channel is closing: {0}", e.toString());
        }
    }

    @Override
    public Optional<SSLContext> tls() {
        return tls;
    }

    @Override
    public void close() {
        JChannel open = channel;
        if (open != null) {
            open.close();
        }
        delivery.shutdown();
    }
}
