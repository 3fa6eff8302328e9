package skulk.kernel.cluster;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import skulk.api.HardwareProbe;
import skulk.api.Membership;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.NodeProfile;
import skulk.kernel.event.EventLog;

/**
 * This node's part in the cluster: the membership on one side, the replica of the agreed state, the telemetry of all nodes and the view made of both on the other.
 * One thread owns all of it; everything that arrives is a task of that thread, and after each task that changed something a new view is published.
 */
public final class ClusterNode implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ClusterNode.class.getName());
    private static final Duration MEASURE = Duration.ofSeconds(1);
    /** Members tell their readings each second; one that has been silent for so long answers no question. Looked for once a second, so that five seconds are kept. */
    private static final Duration SILENCE = Duration.ofMillis(3900);
    /** How long a joiner waits to be told what is placed; where the coordinator is well it takes milliseconds. */
    private static final Duration BRIEFING = Duration.ofSeconds(5);
    /** Control messages of a membership epoch that this node has yet to see. */
    private static final int EARLY = 4096;

    private final NodeId self;
    private final EventLog log;
    private final Supplier<List<HardwareProbe>> probes;
    private final Replica replica;
    private final NodeTable table;
    private final Views views;
    private final Credits credits = new Credits();
    private final Calls calls = new Calls(this::send);
    private final Deque<Early> early = new ArrayDeque<>();
    private final ExecutorService control = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("cluster-control").daemon().factory());
    private final ScheduledExecutorService telemetry = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("telemetry").daemon().factory());
    private final Map<NodeId, Long> heard = new ConcurrentHashMap<>();
    private final Set<NodeId> strangers = ConcurrentHashMap.newKeySet();
    private volatile Neighbours neighbours = Neighbours.NONE;
    private final CompletableFuture<Optional<SSLContext>> tls = new CompletableFuture<>();
    private final CompletableFuture<Void> informed = new CompletableFuture<>();
    private volatile Membership.Member member;
    private volatile long epoch;
    private boolean changed;
    private long listened = System.nanoTime(); // of the telemetry thread

    /** What else a node does with what it hears. Called on the control thread but for {@link #data}; must not block. */
    public interface Neighbours {
        Neighbours NONE = new Neighbours() {};

        /** Requests and their events; called on the membership's thread, in order per sender. */
        default void data(NodeId from, Message.Data message) {}

        default void endpoint(Message.RankEndpoint endpoint) {}

        default void probe(NodeId from, Message.ProbeEndpoint endpoint) {}

        default void applied(Event event) {}

        /** A new view; the last thing after each change. */
        default void view(ClusterView view) {}

        /** The state was replaced; facts of this node to be told anew. @param previous the state before */
        default List<Event> facts(ClusterState previous, ClusterState now) {
            return List.of();
        }
    }

    private record Early(NodeId from, long epoch, Message.Control message) {}

    public ClusterNode(NodeId self, EventLog log, Supplier<List<HardwareProbe>> probes) {
        this.self = self;
        this.log = log;
        this.probes = probes;
        this.replica = new Replica(self, new Host(), System::currentTimeMillis);
        this.table = new NodeTable(self);
        this.views = new Views(
                ClusterView.empty(self), task -> Thread.ofVirtual().name("view").start(task));
    }

    /**
     * Joins; when this returns, the view names this node and shows what the cluster serves. Only where its coordinator says nothing for {@link #BRIEFING}, which is
     * logged, it shows that later.
     *
     * @throws IOException where the membership does not allow it
     */
    public void join(Membership membership, NodeProfile profile, Neighbours heard) throws IOException {
        neighbours = heard;
        member = membership.join(profile, new Ears());
        execute(replica::greet);
        tls.complete(member.tls());
        telemetry.scheduleAtFixedRate(this::measure, 0, MEASURE.toMillis(), TimeUnit.MILLISECONDS);
        awaitBriefing();
    }

    private void awaitBriefing() {
        try {
            informed.get(BRIEFING.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.log(
                    Level.WARNING,
                    "Joined, but the coordinator has not said within {0} s what is placed; until it does, requests find no instance here",
                    BRIEFING.toSeconds());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    public ClusterView view() {
        return views.newest();
    }

    /** A view as placements are to see it: what deleted instances are about to give back counts as free. */
    public ClusterView forPlacement(ClusterView view) {
        return credits.applyTo(view, Instant.now());
    }

    public Flow.Publisher<ClusterView> views() {
        return views;
    }

    /** What connections between members are secured with, complete once this node has joined. */
    public CompletableFuture<Optional<SSLContext>> tls() {
        return tls;
    }

    public Calls calls() {
        return calls;
    }

    /** Tells facts of this node to the cluster; returns at once. */
    public void report(Event... events) {
        report(List.of(events));
    }

    /** Tells facts of this node to the cluster; returns at once. */
    public void report(List<Event> events) {
        List<Reported> reported = events.stream().map(Reported::of).toList();
        execute(() -> replica.report(reported));
    }

    /** Tells facts of this node where the agreed state, as it is then, is still so. @param told hears, on the control thread, that they are told */
    public void report(List<Event> events, Predicate<ClusterState> still, Runnable told) {
        execute(() -> {
            if (still.test(replica.state())) {
                told.run();
                replica.report(events.stream().map(Reported::of).toList());
            }
        });
    }

    /** Tells a fact whose making is costly, off the caller's thread. */
    public void reportLater(Supplier<Event> event) {
        execute(() -> replica.report(List.of(Reported.of(event.get()))));
    }

    /** Sends to a member; to itself as well. */
    public void send(NodeId to, Message message) {
        if (to.equals(self)) {
            dispatch(self, new Wire.Envelope(epoch, message));
            return;
        }
        Membership.Member seat = member;
        if (seat != null) {
            seat.send(to, Wire.encode(message, epoch));
        }
    }

    /** Sends to every other member. */
    public void broadcast(Message message) {
        Membership.Member seat = member;
        if (seat != null) {
            seat.broadcast(Wire.encode(message, epoch));
        }
    }

    /** Runs something on the control thread with the agreed state, and plans again after it. */
    public void execute(Runnable task) {
        try {
            control.execute(() -> {
                try {
                    task.run();
                    if (changed) {
                        changed = false;
                        publish();
                    }
                    if (replica.informed()) {
                        informed.complete(null);
                    }
                } catch (RuntimeException e) {
                    LOG.log(Level.ERROR, "the cluster's control thread goes on after a failure", e);
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.log(Level.DEBUG, "after the end", e);
        }
    }

    /** Publishes a view again, such as after a change of this node's ranks that the state does not show. */
    public void replan() {
        execute(() -> changed = true);
    }

    /** The agreed state, for the control thread only. */
    public ClusterState state() {
        return replica.state();
    }

    /** Whose line of numbers the state is of, for the control thread only. */
    Reign reign() {
        return replica.reign();
    }

    private void publish() {
        ClusterView view = table.view(replica.state(), replica.view(), Instant.now());
        credits.between(views.newest(), view, Instant.now());
        views.publish(view);
        neighbours.view(view);
    }

    private void measure() {
        listen();
        try {
            List<NodeInfo> read = probes.get().stream().map(HardwareProbe::read).toList();
            execute(
                    () -> { // all at once: what one probe corrects of another is never seen uncorrected
                        read.forEach(info -> table.heard(self, info, Instant.now()));
                        changed = true;
                    });
            read.forEach(info -> broadcast(new Message.Telemetry(info)));
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "a probe failed", e);
        }
    }

    /** Gives up what members were asked that are not heard any more. */
    private void listen() {
        long now = System.nanoTime();
        boolean stoodStill = now - listened > 3 * MEASURE.toNanos(); // what was sent meanwhile is read first
        listened = now;
        if (stoodStill) {
            heard.replaceAll((node, at) -> now);
        }
        calls.silent(heard.entrySet().stream()
                .filter(e -> now - e.getValue() > SILENCE.toNanos())
                .map(Map.Entry::getKey)
                .toList());
    }

    private void dispatch(NodeId from, Wire.Envelope envelope) {
        switch (envelope.message()) {
            case Message.Control control -> execute(() -> control(from, envelope.epoch(), control));
            case Message.Telemetry(NodeInfo info) ->
                execute(() -> {
                    if (replica.view().members().stream().anyMatch(m -> m.id().equals(from))) {
                        table.heard(from, info, Instant.now());
                        changed = true;
                    }
                });
            case Message.RankEndpoint endpoint -> execute(() -> neighbours.endpoint(endpoint));
            case Message.ProbeEndpoint probe -> execute(() -> neighbours.probe(from, probe));
            case Message.Data data -> neighbours.data(from, data);
            case Message.Call call -> calls.message(from, call);
        }
    }

    private void control(NodeId from, long sentIn, Message.Control message) {
        if (sentIn < epoch) {
            return; // of an older view: whoever sent it says it again where it matters
        }
        if (sentIn > epoch) {
            if (early.size() < EARLY) {
                early.addLast(new Early(from, sentIn, message));
            }
            return;
        }
        replica.message(from, message);
    }

    private void viewChanged(MembershipView view) {
        epoch = view.epoch();
        table.members(view, Instant.now());
        changed = true;
        table.info(self)
                .ifPresent(info -> broadcast(new Message.Telemetry(info))); // whoever is new waits for no cadence
        List<NodeId> members = view.members().stream().map(NodeProfile::id).toList();
        heard.keySet().retainAll(members);
        members.stream().filter(m -> !m.equals(self)).forEach(m -> heard.putIfAbsent(m, System.nanoTime()));
        strangers.retainAll(members);
        calls.members(members);
        replica.viewChanged(view);
        List<Early> waiting = new ArrayList<>(early);
        early.clear();
        waiting.forEach(e -> control(e.from(), e.epoch(), e.message()));
    }

    @Override
    public void close() {
        telemetry.shutdownNow();
        Membership.Member seat = member;
        if (seat != null) {
            seat.close();
        }
        control.shutdown();
        try {
            control.awaitTermination(2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        views.close();
    }

    private final class Ears implements Membership.Listener {
        @Override
        public void viewChanged(MembershipView view) {
            execute(() -> ClusterNode.this.viewChanged(view));
        }

        @Override
        public void message(NodeId from, byte[] bytes) {
            heard.put(from, System.nanoTime());
            if (Wire.foreign(bytes) && strangers.add(from)) {
                LOG.log(
                        Level.WARNING,
                        "What node {0} says is of another version of the messages than {1} and is dropped",
                        from,
                        Wire.VERSION);
            }
            Wire.decode(bytes).ifPresent(envelope -> dispatch(from, envelope));
        }
    }

    private final class Host implements Replica.Host {
        @Override
        public void send(NodeId to, Message message) {
            ClusterNode.this.send(to, message);
        }

        @Override
        public void broadcast(Message message) {
            Membership.Member seat = member;
            if (seat != null && replica.view().members().size() > 1) {
                seat.broadcast(Wire.encode(message, epoch));
            }
        }

        @Override
        public void applied(long index, Reported event) {
            changed = true;
            log.append(event);
            credits.applied(event.event(), Instant.now());
            neighbours.applied(event.event());
        }

        @Override
        public void adopted(ClusterState previous) {
            changed = true;
            report(neighbours.facts(previous, replica.state()));
        }
    }

    /** Runs a consumer with each newest view, on a thread of its own; for whoever needs no flow control. */
    public static Flow.Subscriber<ClusterView> each(Consumer<ClusterView> consumer) {
        return new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(ClusterView view) {
                consumer.accept(view);
            }

            @Override
            public void onError(Throwable failure) {
                LOG.log(Level.WARNING, "views end", failure);
            }

            @Override
            public void onComplete() {}
        };
    }
}
