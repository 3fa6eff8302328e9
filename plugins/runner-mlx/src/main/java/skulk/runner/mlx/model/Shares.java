package skulk.runner.mlx.model;

import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.model.Cut.Range;
import skulk.runner.mlx.model.LoadOptions.Shard;

/**
 * How layers are split by tensors: whole heads, and feed-forward columns in units. Ranks may get uneven shares.
 *
 * @param shard this rank's share
 */
record Shares(Shard shard) {

    /** This rank's share of {@code count} units, as even as possible; the first ranks get one more. */
    Range share(int count) {
        return share(count, shard.tensorRank(), shard.tensorRanks());
    }

    /** The share of any rank. */
    static Range share(int count, int rank, int ranks) {
        int each = count / ranks;
        int more = count % ranks;
        return new Range(each * rank + Math.min(rank, more), each * (rank + 1) + Math.min(rank + 1, more));
    }

    /**
     * Heads of this rank. Key/value heads are dealt out whole; where there are fewer of them than ranks, several ranks
     * hold the same one and share its query heads.
     */
    Heads heads(int heads, int kvHeads) {
        int ranks = shard.tensorRanks();
        int rank = shard.tensorRank();
        int group = heads / kvHeads;
        if (heads < ranks) {
            throw new CheckpointException(heads + " attention heads cannot be split over " + ranks + " ranks");
        }
        if (kvHeads >= ranks) {
            Range kv = share(kvHeads);
            return new Heads(kv.times(group), kv);
        }
        int kv = (int) ((long) rank * kvHeads / ranks);
        int first = firstRank(kv, kvHeads, ranks);
        int holders = firstRank(kv + 1, kvHeads, ranks) - first;
        if (group < holders) {
            throw new CheckpointException(
                    heads + " heads in groups of " + group + " cannot be split over " + ranks + " ranks");
        }
        Range within = share(group, rank - first, holders);
        return new Heads(within.plus(kv * group), new Range(kv, kv + 1));
    }

    /** The lowest rank that holds key/value head {@code kv}. */
    private static int firstRank(int kv, int kvHeads, int ranks) {
        return (int) (((long) kv * ranks + kvHeads - 1) / kvHeads);
    }

    /**
     * This rank's share of the inner features of a feed-forward block, in units that keep quantisation groups whole
     * where the size allows.
     */
    Range features(int size) {
        int unit = 128;
        while (size % unit != 0 || size / unit < shard.tensorRanks()) {
            unit /= 2;
            if (unit == 0) {
                throw new CheckpointException(
                        size + " features cannot be split over " + shard.tensorRanks() + " ranks");
            }
        }
        return share(size / unit).times(unit);
    }

    /**
     * @param query this rank's query heads
     * @param kv the key/value heads they use
     */
    record Heads(Range query, Range kv) {}
}
