package skulk.kernel.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;

/** What nodes tell each other of keys, in every order. */
class StoredKeysTest {
    private static final List<KeyHash> HASHES =
            List.of(KeyHash.ofRandom("one"), KeyHash.ofRandom("two"), KeyHash.ofRandom("three"));

    /** A change of one of three keys at one of a few moments, so that many collide. */
    private static StoredKeys change(Random random, StoredKeys from) {
        String id = "k" + random.nextInt(3);
        Instant at = Instant.ofEpochSecond(random.nextInt(5));
        return random.nextBoolean()
                ? from.without(id, at)
                : from.with(new ApiKey(
                        id,
                        HASHES.get(random.nextInt(3)),
                        Set.of(Scope.INFER),
                        ApiKey.Limits.NONE,
                        from.after(id, at)));
    }

    @Test
    void nodesAgreeWhoeverTellsWhomInWhateverOrder() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            List<StoredKeys> nodes = new ArrayList<>(Collections.nCopies(4, StoredKeys.EMPTY));
            for (int step = 0; step < 30; step++) {
                int node = random.nextInt(4);
                StoredKeys next = random.nextInt(3) == 0
                        ? nodes.get(node).merged(nodes.get(random.nextInt(4)))
                        : change(random, nodes.get(node));
                nodes.set(node, next);
            }
            Map<String, StoredKeys.Word> agreed = Map.copyOf(all(nodes).words());
            Collections.shuffle(nodes, random);
            assertEquals(agreed, Map.copyOf(all(nodes).words()), "seed " + seed);
            assertEquals(agreed, Map.copyOf(all(nodes).merged(nodes.getFirst()).words()), "seed " + seed);
        }
    }

    private static StoredKeys all(List<StoredKeys> nodes) {
        return nodes.stream().reduce(StoredKeys.EMPTY, StoredKeys::merged);
    }

    @Test
    void whatWasSaidLaterCountsEvenWhereClocksDiffer() {
        Instant ahead = Instant.parse("2040-01-01T00:00:00Z");
        ApiKey key = new ApiKey("k", HASHES.getFirst(), Set.of(Scope.INFER), ApiKey.Limits.NONE, ahead);
        StoredKeys removed = StoredKeys.EMPTY.with(key).without("k", Instant.EPOCH);
        assertEquals(List.of(), removed.merged(StoredKeys.EMPTY.with(key)).keys());
        assertEquals(Optional.empty(), removed.words().get("k").key());
    }

    @Test
    void isTheSameAfterBeingWritten() {
        StoredKeys keys = StoredKeys.EMPTY;
        Random random = new Random(1);
        for (int i = 0; i < 20; i++) {
            keys = change(random, keys);
        }
        assertEquals(keys, StoredKeys.fromJson(Json.parse(keys.toJson().toString())));
        assertEquals(StoredKeys.EMPTY, StoredKeys.fromJson(Json.parse("{\"keys\":[]}")), "files of older versions");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{}",
                "{\"keys\":1}",
                "{\"keys\":[1]}",
                "{\"keys\":[],\"removed\":[1]}",
                "{\"keys\":[],\"removed\":[{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\"}]}",
                "{\"keys\":[],\"removed\":[{\"id\":\"a\",\"at\":\"yesterday\"}]}"
            })
    void refusesWhatIsBroken(String json) {
        assertThrows(IllegalArgumentException.class, () -> StoredKeys.fromJson(Json.parse(json)));
    }
}
