package skulk.kernel.cluster;

import java.util.Comparator;
import skulk.api.cluster.NodeId;

/**
 * One coordinator's time as the keeper of the numbers, and where that line of numbers began. After a partition the older one wins: the side that lost its
 * coordinator began a new generation, the side that kept it did not.
 *
 * @param originMillis when the first node of this line started, milliseconds since the epoch
 * @param generation how many coordinators were lost since
 * @param startMillis when this coordinator took over
 * @param leader who took over
 */
public record Reign(long originMillis, int generation, long startMillis, NodeId leader) {
    private static final Comparator<Reign> AGE = Comparator.comparingLong(Reign::originMillis)
            .thenComparingInt(Reign::generation)
            .thenComparingLong(Reign::startMillis)
            .thenComparing(reign -> reign.leader().value());

    /** The reign of a node that begins alone. */
    static Reign first(NodeId self, long nowMillis) {
        return new Reign(nowMillis, 0, nowMillis, self);
    }

    /** The reign after this one's coordinator was lost. */
    Reign next(NodeId successor, long nowMillis) {
        return new Reign(originMillis, generation + 1, nowMillis, successor);
    }

    /** Whether this is a later time of the same line of numbers, so that nothing was decided elsewhere. */
    boolean succeeds(Reign other) {
        return originMillis == other.originMillis() && generation > other.generation();
    }

    boolean olderThan(Reign other) {
        return AGE.compare(this, other) < 0;
    }
}
