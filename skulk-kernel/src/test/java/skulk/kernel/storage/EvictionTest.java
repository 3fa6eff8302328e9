package skulk.kernel.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import skulk.api.model.ModelId;
import skulk.kernel.storage.Eviction.Copy;

class EvictionTest {
    private static Copy copy(String model, long bytes, long second) {
        return new Copy(new ModelId(model), bytes, Instant.ofEpochSecond(second));
    }

    private static List<String> victims(List<Copy> copies, Set<String> used, long budget) {
        Set<ModelId> inUse = new HashSet<>();
        used.forEach(u -> inUse.add(new ModelId(u)));
        return Eviction.victims(copies, inUse, budget).stream()
                .map(ModelId::value)
                .toList();
    }

    @Test
    void keepsTheNewestThatFitAndLetsALargeOneGoWhileASmallerOlderOneStays() {
        List<Copy> copies = List.of(copy("old-small", 10, 1), copy("new", 50, 9), copy("big", 100, 5));
        assertEquals(List.of("big"), victims(copies, Set.of(), 60));
        assertEquals(List.of(), victims(copies, Set.of(), 160));
        assertEquals(List.of("big", "old-small"), victims(copies, Set.of(), 50));
    }

    @Test
    void aBudgetOfZeroKeepsNothingThatIsUnused() {
        assertEquals(
                List.of("b", "a"), victims(List.of(copy("a", 0, 1), copy("b", 5, 2), copy("c", 5, 3)), Set.of("c"), 0));
    }

    @Test
    void companionsOfActiveModelsAreInUse() {
        var card = Cards.card("org/main", Optional.of("org/eyes"), Optional.of("org/draft"));
        assertEquals(
                Set.of(
                        new ModelId("org/main"),
                        new ModelId("org/eyes"),
                        new ModelId("org/draft"),
                        new ModelId("org/loading")),
                Eviction.inUse(List.of(card), Set.of(new ModelId("org/loading"))));
    }

    @Test
    void holdsItsPromisesForArbitraryDisks() {
        for (int seed = 0; seed < 5000; seed++) {
            Random random = new Random(seed);
            List<Copy> copies = new ArrayList<>();
            Set<String> used = new HashSet<>();
            int n = random.nextInt(12);
            for (int i = 0; i < n; i++) {
                copies.add(copy("m" + i, random.nextInt(40), random.nextInt(6)));
                if (random.nextInt(3) == 0) {
                    used.add("m" + i);
                }
            }
            long budget = random.nextInt(4) == 0 ? 0 : random.nextInt(120);
            check(seed, copies, used, budget);
        }
    }

    private static void check(int seed, List<Copy> copies, Set<String> used, long budget) {
        List<String> victims = victims(copies, used, budget);
        long kept = 0;
        long smallestVictim = Long.MAX_VALUE;
        for (Copy copy : copies) {
            String name = copy.model().value();
            if (victims.contains(name)) {
                assertFalse(used.contains(name), "in use, seed " + seed);
                smallestVictim = Math.min(smallestVictim, copy.bytes());
            } else if (!used.contains(name)) {
                kept += copy.bytes();
            }
        }
        assertTrue(kept <= budget, "ends within the budget, seed " + seed);
        assertTrue(
                victims.isEmpty() || budget == 0 || kept + smallestVictim > budget,
                "never goes below the budget: the smallest victim would have fitted, seed " + seed);
        List<Copy> shuffled = new ArrayList<>(copies);
        java.util.Collections.shuffle(shuffled, new Random(seed + 1));
        assertEquals(
                victims, victims(shuffled, used, budget), "the order of the listing does not matter, seed " + seed);
    }
}
