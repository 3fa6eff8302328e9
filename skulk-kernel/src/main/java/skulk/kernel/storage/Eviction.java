package skulk.kernel.storage;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;

/**
 * Which staged copies go. One pure decision for all three triggers (runbook, "The eviction lifecycle"): deactivation and node start keep a grace
 * budget, purging keeps nothing; none ever touches what is in use.
 */
final class Eviction {
    private Eviction() {}

    /** A staged copy. */
    record Copy(ModelId model, long bytes, Instant lastUsed) {}

    /**
     * The models that are in use: those named, and their companions.
     *
     * @param active cards of the models that have a rank on this node
     * @param staging models being fetched now
     */
    static Set<ModelId> inUse(Collection<ModelCard> active, Set<ModelId> staging) {
        Set<ModelId> used = new HashSet<>(staging);
        for (ModelCard card : active) {
            used.add(card.modelId());
            used.addAll(card.companions());
        }
        return used;
    }

    /**
     * What to delete. Walks the copies that are not in use from the newest to the oldest and keeps each one that still fits the budget, so a large
     * copy may go while a smaller, older one stays (contract section 11). Equal times are ordered by name.
     *
     * @param budget bytes of unused copies that may stay; 0 keeps none
     */
    static List<ModelId> victims(Collection<Copy> copies, Set<ModelId> inUse, long budget) {
        List<ModelId> victims = new ArrayList<>();
        long kept = 0;
        List<Copy> newestFirst = copies.stream()
                .filter(c -> !inUse.contains(c.model()))
                .sorted(Comparator.comparing(Copy::lastUsed)
                        .reversed()
                        .thenComparing(c -> c.model().value()))
                .toList();
        for (Copy copy : newestFirst) {
            if (budget > 0 && copy.bytes() <= budget - kept) {
                kept += copy.bytes();
            } else {
                victims.add(copy.model());
            }
        }
        return victims;
    }
}
