package skulk.kernel.cluster;

import skulk.api.cluster.Topology.Edge;

/**
 * What the cluster was told of a way to another node, and what was measured since. A better latency is news at once. A worse one may be that of machines that compute: their
 * processors answer late, while ranks, which wait awake, are as near as ever; so it is news only when it has been worse for minutes, and then the best of these.
 *
 * @param worse how many measurements in a row were much worse than what was told
 * @param best the best of these; what was told where there are none
 */
record Link(Edge told, int worse, Edge best) {
    /** Five minutes of measurements. */
    static final int PATIENCE = 30;

    private static final double MUCH = 4;
    private static final double BETTER = 0.7;

    static Link of(Edge first) {
        return new Link(first, 0, first);
    }

    /** After one more measurement. */
    Link measured(Edge now) {
        if (!now.interfaceType().equals(told.interfaceType()) || faster(now.latencyMicros(), told)) {
            return of(now);
        }
        if (now.latencyMicros() < MUCH * told.latencyMicros()) {
            return of(told); // jitter is not news
        }
        Edge least = worse == 0 || now.latencyMicros() < best.latencyMicros() ? now : best;
        return worse + 1 < PATIENCE ? new Link(told, worse + 1, least) : of(least);
    }

    /** The link is better than it seemed while the machines were busy. */
    static boolean faster(double latencyMicros, Edge known) {
        return latencyMicros < BETTER * known.latencyMicros();
    }
}
