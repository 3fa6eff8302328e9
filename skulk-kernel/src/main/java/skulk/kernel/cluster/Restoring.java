package skulk.kernel.cluster;

import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;

/**
 * Brings back what was placed once its nodes are back: decides by {@link Wishes}, keeps them on the coordinator's disk, and has them placed. On the control thread but
 * for the placing itself.
 */
final class Restoring implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Restoring.class.getName());

    private final ClusterNode cluster;
    private final WishFile file;
    private final Placer placer;
    private final BooleanSupplier anywhere;
    private final Wishes wishes;
    private Optional<Wishes.Kept> written;
    private Optional<Reign> reign = Optional.empty();
    private ClusterView before;

    /** Plans a placement; blocks, and answers nothing where there is no place. */
    interface Placer {
        /** @param nodes exactly these; empty = any */
        Optional<Instance> plan(Wishes.Wish wish, Set<NodeId> nodes);
    }

    /** @param anywhere whether what waits in vain for its nodes may go to others */
    Restoring(ClusterNode cluster, Path path, Placer placer, BooleanSupplier anywhere) {
        this.cluster = cluster;
        this.file = new WishFile(path);
        this.placer = placer;
        this.anywhere = anywhere;
        this.written = file.read();
        this.wishes = new Wishes(written, Instant.now());
        this.before = cluster.view();
        written.filter(kept -> !kept.wishes().isEmpty())
                .ifPresent(kept -> LOG.log(
                        Level.INFO,
                        "The last run of this cluster had {0} placement(s); they are restored unless it has lived on",
                        kept.wishes().size()));
    }

    void viewChanged(ClusterView view) {
        Instant now = Instant.now();
        Reign current = cluster.reign();
        if (!reign.equals(Optional.of(current))) {
            boolean succession = reign.filter(r -> current.succeeds(r)).isPresent();
            if (!succession) {
                wishes.adopted(current);
                before = view; // what is in one line of numbers and not in the other was not lost
            }
            reign = Optional.of(current);
        }
        wishes.changed(before, view, cluster.state(), now);
        before = view;
        bury(now);
        for (Wishes.Order order : wishes.due(view, anywhere.getAsBoolean(), now)) {
            Thread.ofVirtual().name("restore").start(() -> place(order));
        }
        keep(view, current);
    }

    /** Tells what was deleted before the restart, so that no older file brings it back. */
    private void bury(Instant now) {
        List<Event> events = new ArrayList<>();
        wishes.unknown(cluster.state(), now)
                .forEach(t -> events.add(new Event.InstanceDeleted(t.id(), false, t.successor())));
        if (!events.isEmpty()) {
            cluster.report(events);
        }
    }

    private void place(Wishes.Order order) {
        Wishes.Wish wish = order.wish();
        placer.plan(wish, order.nodes())
                .ifPresent(instance -> cluster.report(
                        List.of(
                                Event.InstanceDeleted.replaced(wish.id(), instance.instanceId()),
                                new Event.InstanceCreated(instance)),
                        state -> state.lost(wish.id()),
                        () -> {
                            wishes.placed(wish, instance.instanceId());
                            LOG.log(
                                    Level.INFO,
                                    "{0} was placed on {1}; it is placed {2} again",
                                    wish.card().modelId(),
                                    wish.nodes(),
                                    order.nodes().isEmpty() ? "elsewhere" : "there");
                        }));
    }

    /** The coordinator's file is the newest; whoever does not coordinate needs none, once what its own had is settled. */
    private void keep(ClusterView view, Reign current) {
        if (view.master().equals(Optional.of(view.self()))) {
            Wishes.Kept kept = wishes.kept(current, cluster.state());
            if (!written.equals(Optional.of(kept))) {
                written = Optional.of(kept);
                file.write(kept);
            }
        } else if (written.isPresent() && !wishes.waits() && view.members().size() > 1) {
            written = Optional.empty();
            file.delete();
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
