package skulk.runner.mlx.schedule;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Predicate;

/**
 * Which blocks are kept for sharing, least recently used first. Pure bookkeeping; the blocks are in {@link
 * RankSequences}.
 */
final class PrefixCache {
    private final SequencedMap<BlockKey, Boolean> byUse = new LinkedHashMap<>();

    /**
     * The longest start of a chain that is kept. Counts as use of its blocks, the first ones last, so that a chain is
     * evicted from its end.
     */
    List<BlockKey> match(List<BlockKey> chain) {
        int found = 0;
        while (found < chain.size() && byUse.containsKey(chain.get(found))) {
            found++;
        }
        List<BlockKey> match = chain.subList(0, found);
        match.reversed().forEach(this::touch);
        return List.copyOf(match);
    }

    boolean contains(BlockKey key) {
        return byUse.containsKey(key);
    }

    /** Keeps a block, as the most recently used. */
    void add(BlockKey key) {
        touch(key);
    }

    /** Removes and returns the least recently used block that satisfies the condition. */
    Optional<BlockKey> evict(Predicate<BlockKey> condition) {
        Optional<BlockKey> found = first(condition);
        found.ifPresent(byUse::remove);
        return found;
    }

    /** The least recently used block that satisfies the condition; it stays. */
    Optional<BlockKey> first(Predicate<BlockKey> condition) {
        return byUse.keySet().stream().filter(condition).findFirst();
    }

    int size() {
        return byUse.size();
    }

    private void touch(BlockKey key) {
        byUse.remove(key);
        byUse.put(key, true);
    }
}
