package skulk.kernel.cluster;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import skulk.api.cluster.MembershipView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeProfile;
import skulk.kernel.cluster.Message.Control;

/**
 * This node's copy of the agreed state, and on the eldest member the place where events get their numbers. Used by one thread; does no I/O of its own, so that
 * tests drive whole clusters of these deterministically.
 *
 * <p>A report stays outstanding until its number comes back, and goes out again to each new coordinator; the coordinator drops what it has numbered before. A
 * node that adopts another state tells its own facts anew (see {@link Host#adopted}), so nothing that runs is forgotten.
 */
final class Replica {
    /** Events kept to bring members up to date that are a little behind. */
    private static final int TAIL = 2048;

    private static final int REMEMBERED_IDS = 8192;

    /** What a replica needs from its node. */
    interface Host {
        void send(NodeId to, Message message);

        void broadcast(Message message);

        /** An event took effect. Must not report anything before it returns: the events behind it are numbered already. */
        void applied(long index, Reported event);

        /** The state was replaced as a whole; own facts should be reported again. @param previous the state before */
        void adopted(ClusterState previous);
    }

    private final NodeId self;
    private final Host host;
    private final LongSupplier clock;
    private final Deque<Reported> tail = new ArrayDeque<>();
    private final Set<String> numbered = new LinkedHashSet<>();
    private final Map<String, Reported> outstanding = new LinkedHashMap<>();
    private ClusterState state = ClusterState.EMPTY;
    private Reign reign;
    private MembershipView view = new MembershipView(0, List.of());
    private Collection<NodeId> companions = List.of();
    private boolean askedAgain;
    private boolean told;
    private final Set<NodeId> asked = new HashSet<>();
    private Optional<Control.Snapshot> most = Optional.empty();
    private boolean waits;

    Replica(NodeId self, Host host, LongSupplier clockMillis) {
        this.self = self;
        this.host = host;
        this.clock = clockMillis;
        this.reign = Reign.first(self, clockMillis.getAsLong());
    }

    ClusterState state() {
        return state;
    }

    MembershipView view() {
        return view;
    }

    Reign reign() {
        return reign;
    }

    boolean coordinates() {
        return !view.members().isEmpty() && view.coordinator().equals(self);
    }

    /** Whether the state is the cluster's: of its coordinator, or as others have told it. */
    boolean informed() {
        return told || decides();
    }

    private boolean decides() {
        return coordinates() && !waits;
    }

    /** Facts of this node: numbered here, or sent to the coordinator. */
    void report(List<Reported> events) {
        if (events.isEmpty()) {
            return;
        }
        if (decides()) {
            number(events);
        } else {
            events.forEach(e -> outstanding.put(e.eventId(), e));
            if (!view.members().isEmpty() && !coordinates()) {
                host.send(view.coordinator(), new Control.Report(events));
            }
        }
    }

    void viewChanged(MembershipView next) {
        MembershipView previous = view;
        boolean led = coordinates();
        companions = ids(previous);
        view = next;
        askedAgain = false;
        asked.clear();
        if (!coordinates()) {
            waits = false;
            most = Optional.empty();
            host.send(view.coordinator(), new Control.Hello(reign, state.lastEventAppliedIdx(), led));
            resend();
            return;
        }
        if (joinsAtTheHead(previous)) {
            return;
        }
        boolean takesOver =
                !previous.members().isEmpty() && !led && ids(next).stream().noneMatch(previous.coordinator()::equals);
        if (takesOver) {
            reign = reign.next(self, clock.getAsLong());
        }
        if (!led) {
            host.broadcast(new Control.Snapshot(reign, state));
        }
        settle();
    }

    /**
     * Whoever joins as the preferred coordinator knows less than those whom it is to lead, and each of them may know what the others do not: it decides nothing until
     * all have told what they know, and goes on from the most that anybody knew.
     */
    private boolean joinsAtTheHead(MembershipView previous) {
        waits = waits || previous.members().isEmpty() && view.members().size() > 1;
        if (!waits) {
            return false;
        }
        ids(view).stream().filter(member -> !member.equals(self)).forEach(this::ask);
        beginOnceAllAreHeard();
        return true;
    }

    private void ask(NodeId member) {
        asked.add(member);
        host.send(member, new Control.WantSnapshot());
    }

    private void heard(Control.Snapshot snapshot) {
        boolean blank = snapshot.state().lastEventAppliedIdx() == ClusterState.EMPTY.lastEventAppliedIdx();
        if (!blank && most.filter(m -> !beyond(snapshot, m.reign(), m.state())).isEmpty()) {
            most = Optional.of(snapshot);
        }
        beginOnceAllAreHeard();
    }

    private void beginOnceAllAreHeard() {
        if (asked.isEmpty()) {
            waits = false;
            most.ifPresent(this::adopt);
            most = Optional.empty();
            goOn();
        }
    }

    /** Has all others take over the state as it is here now, and numbers what has waited. */
    private void goOn() {
        host.broadcast(new Control.Snapshot(reign, state));
        settle();
    }

    /** Whether a snapshot is of an older line of numbers, or further on in the same. */
    private static boolean beyond(Control.Snapshot snapshot, Reign reign, ClusterState state) {
        return snapshot.reign().olderThan(reign)
                || (snapshot.reign().equals(reign)
                        && snapshot.state().lastEventAppliedIdx() > state.lastEventAppliedIdx());
    }

    /** Says hello to the coordinator once messages can be sent, or asks whom it is to lead; the first view comes before. */
    void greet() {
        List.copyOf(asked).forEach(this::ask);
        if (!view.members().isEmpty() && !coordinates()) {
            host.send(view.coordinator(), new Control.Hello(reign, state.lastEventAppliedIdx(), false));
            resend();
        }
    }

    void message(NodeId from, Control message) {
        switch (message) {
            case Control.Hello hello -> hello(from, hello);
            case Control.Report(List<Reported> events) -> reported(from, events);
            case Control.Acknowledge(List<String> ids) -> outstanding.keySet().removeAll(ids);
            case Control.Numbered events -> numbered(from, events);
            case Control.Snapshot snapshot -> snapshot(from, snapshot);
            case Control.WantSnapshot w -> host.send(from, new Control.Snapshot(reign, state));
        }
    }

    private void hello(NodeId from, Control.Hello hello) {
        if (waits) {
            if (asked.contains(from)) {
                ask(from); // whoever has just joined could not answer before
            }
            return;
        }
        if (!coordinates()) {
            return; // the sender's view is ahead of or behind ours; it asks again when it changes
        }
        boolean theirsIsOlder = hello.leading() && hello.reign().olderThan(reign);
        boolean theyKnowMore = hello.reign().equals(reign) && hello.lastIdx() > state.lastEventAppliedIdx();
        if (theirsIsOlder || theyKnowMore) {
            ask(from);
        } else if (!hello.reign().equals(reign) || state.lastEventAppliedIdx() - hello.lastIdx() > tail.size()) {
            host.send(from, new Control.Snapshot(reign, state));
        } else if (hello.lastIdx() < state.lastEventAppliedIdx()) {
            int missing = (int) (state.lastEventAppliedIdx() - hello.lastIdx());
            List<Reported> events = new ArrayList<>(tail).subList(tail.size() - missing, tail.size());
            host.send(from, new Control.Numbered(reign, hello.lastIdx() + 1, List.copyOf(events)));
        }
    }

    private void reported(NodeId from, List<Reported> events) {
        if (!decides()) {
            return; // reported again to whoever coordinates now, or once it knows what is agreed
        }
        List<String> known = events.stream()
                .map(Reported::eventId)
                .filter(numbered::contains)
                .toList();
        if (!known.isEmpty()) {
            host.send(from, new Control.Acknowledge(known));
        }
        number(events.stream().filter(e -> !known.contains(e.eventId())).toList());
    }

    private void numbered(NodeId from, Control.Numbered events) {
        if (coordinates() || !from.equals(view.coordinator())) {
            return;
        }
        if (!events.reign().equals(reign) || events.first() > state.lastEventAppliedIdx() + 1) {
            askAgain();
            return;
        }
        long index = events.first();
        for (Reported event : events.events()) {
            apply(index++, event);
        }
        askedAgain = false;
    }

    private void snapshot(NodeId from, Control.Snapshot snapshot) {
        if (coordinates()) {
            if (!asked.remove(from)) {
                return; // the answer to a question put twice: what it knew is taken over, and may be old by now
            }
            if (waits) {
                heard(snapshot);
            } else if (beyond(snapshot, reign, state)) {
                adopt(snapshot);
                goOn();
            }
        } else if (from.equals(view.coordinator())) {
            if (snapshot.reign().equals(reign)
                    && state.lastEventAppliedIdx() > snapshot.state().lastEventAppliedIdx()) {
                host.send(from, new Control.Hello(reign, state.lastEventAppliedIdx(), false));
                return; // it will ask for what we know
            }
            handBack(snapshot);
            adopt(snapshot);
            resend();
        }
    }

    /**
     * A new coordinator may have missed the last events of the old one: those that only we saw are reported anew. One that was beyond a cut has not missed but decided
     * otherwise.
     */
    private void handBack(Control.Snapshot snapshot) {
        long ahead = state.lastEventAppliedIdx() - snapshot.state().lastEventAppliedIdx();
        boolean succession = companions.contains(view.coordinator())
                && snapshot.reign().originMillis() == reign.originMillis()
                && snapshot.reign().generation() == reign.generation() + 1;
        if (succession && ahead > 0 && ahead <= tail.size()) {
            new ArrayList<>(tail)
                    .subList(tail.size() - (int) ahead, tail.size())
                    .forEach(e -> outstanding.putIfAbsent(e.eventId(), e));
        }
    }

    private void adopt(Control.Snapshot snapshot) {
        ClusterState previous = state;
        reign = snapshot.reign();
        state = snapshot.state();
        tail.clear();
        askedAgain = false;
        told = true;
        host.adopted(previous);
    }

    private void askAgain() {
        if (!askedAgain) {
            askedAgain = true;
            host.send(view.coordinator(), new Control.Hello(reign, state.lastEventAppliedIdx(), false));
        }
    }

    private void resend() {
        if (!outstanding.isEmpty()) {
            host.send(view.coordinator(), new Control.Report(List.copyOf(outstanding.values())));
        }
    }

    /** Numbers what is outstanding of our own, and lets go of what depended on nodes that are gone. */
    private void settle() {
        List<Reported> own = List.copyOf(outstanding.values());
        outstanding.clear();
        number(own);
        number(Losses.ofNodes(state, ids(view)).stream().map(Reported::of).toList());
    }

    private void number(List<Reported> events) {
        List<Reported> fresh =
                events.stream().filter(e -> !numbered.contains(e.eventId())).toList();
        if (fresh.isEmpty()) {
            return;
        }
        long first = state.lastEventAppliedIdx() + 1;
        long index = first;
        // told before it takes effect here: effects may number further events
        host.broadcast(new Control.Numbered(reign, first, fresh));
        for (Reported event : fresh) {
            apply(index++, event);
        }
    }

    private void apply(long index, Reported event) {
        if (index <= state.lastEventAppliedIdx()) {
            return;
        }
        state = state.apply(index, event.event());
        remember(event);
        outstanding.remove(event.eventId());
        host.applied(index, event);
    }

    private void remember(Reported event) {
        tail.addLast(event);
        if (tail.size() > TAIL) {
            tail.removeFirst();
        }
        numbered.add(event.eventId());
        if (numbered.size() > REMEMBERED_IDS) {
            numbered.remove(numbered.iterator().next());
        }
    }

    private static Collection<NodeId> ids(MembershipView view) {
        return view.members().stream().map(NodeProfile::id).toList();
    }
}
