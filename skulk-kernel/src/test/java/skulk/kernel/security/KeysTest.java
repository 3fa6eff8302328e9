package skulk.kernel.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.config.ConfigurationException;

/** Keys: their hashes, their configuration, their file. */
class KeysTest {
    private static final String SHA256_OF_ABC =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2

    @TempDir
    Path home;

    private static JsonObject object(String json) {
        return (JsonObject) Json.parse(json);
    }

    private FileKeyStore open(String configured) {
        return FileKeyStore.open(object(configured), home);
    }

    private static Optional<String> found(KeyStore store, String key) {
        return store.ring().find(key, () -> true).map(ApiKey::id);
    }

    @Test
    void hashesMatchTheirKeyAloneAndDifferByTheirSalt() {
        String key = KeyHash.newKey();
        KeyHash one = KeyHash.ofRandom(key);
        assertTrue(one.matches(key));
        assertFalse(one.matches(key + "x"));
        assertNotEquals(one, KeyHash.ofRandom(key));
        assertEquals(Optional.of(one), KeyHash.parse(one.text()));
        assertFalse(one.text().contains(key));
        assertEquals("sk-skulk-".length() + 43, key.length(), "256 bits in base 64");
    }

    @Test
    void readsPlainDigestsAndPublishedVectorsOfPbkdf2() {
        assertTrue(KeyHash.parse("sha256$$" + SHA256_OF_ABC).orElseThrow().matches("abc"));
        // RFC 7914, section 11: the first block of ("Password", "NaCl", 80000)
        KeyHash vector =
                new KeyHash(80_000, "4e61436c", "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
        assertTrue(vector.slow() && vector.matches("Password"));
        KeyHash chosen = KeyHash.ofChosen("correct horse battery staple");
        assertEquals(KeyHash.ROUNDS, chosen.rounds());
        assertTrue(chosen.matches("correct horse battery staple"));
        assertFalse(chosen.matches("correct horse battery stable"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "sha256",
                "sha256$$12",
                "sha256$zz$" + SHA256_OF_ABC,
                "md5$$" + SHA256_OF_ABC,
                "pbkdf2-sha256$1$0011223344556677$" + SHA256_OF_ABC,
                "pbkdf2-sha256$many$0011223344556677$" + SHA256_OF_ABC,
                "pbkdf2-sha256$2147483647$0011223344556677$" + SHA256_OF_ABC,
                "pbkdf2-sha256$600000$$" + SHA256_OF_ABC
            })
    void refusesTextsThatAreNoHash(String text) {
        assertEquals(Optional.empty(), KeyHash.parse(text));
    }

    @Test
    void impliesLesserScopes() {
        KeyHash hash = KeyHash.ofRandom("x");
        ApiKey admin = new ApiKey("a", hash, Set.of(Scope.ADMIN), ApiKey.Limits.NONE, java.time.Instant.EPOCH);
        assertEquals(Set.of(Scope.values()), admin.scopes());
        assertEquals(List.of("infer", "place", "admin"), admin.scopeWords());
        ApiKey place = new ApiKey("a", hash, Set.of(Scope.PLACE), ApiKey.Limits.NONE, java.time.Instant.EPOCH);
        assertEquals(Set.of(Scope.OPEN, Scope.INFER, Scope.PLACE), place.scopes());
        assertEquals(Optional.of(place), ApiKey.fromJson(place.toJson()));
    }

    @Test
    void readsEveryFormOfTheConfiguration() {
        KeyHash hash = KeyHash.ofRandom("a third key for this test");
        KeyStore store = open(
                "{\"one\":{\"key\":\"sixteen letters!\",\"scopes\":[\"infer\"],\"max_concurrent\":2,\"tokens_per_minute\":600},"
                        + "\"two\":{\"sha256\":\"" + SHA256_OF_ABC + "\",\"scopes\":[\"admin\"]},"
                        + "\"three\":{\"hash\":\"" + hash.text() + "\",\"scopes\":[\"place\"]}}");
        assertEquals(Optional.of("one"), found(store, "sixteen letters!"));
        assertEquals(Optional.of("two"), found(store, "abc"));
        assertEquals(Optional.of("three"), found(store, "a third key for this test"));
        assertEquals(Optional.empty(), found(store, "abcd"));
        assertEquals(
                new ApiKey.Limits(2, 600),
                store.ring().byId("one").orElseThrow().limits());
        assertEquals(
                Set.of(Scope.OPEN, Scope.INFER),
                store.ring().byId("one").orElseThrow().scopes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'k':{'key':'short','scopes':['infer']}} | api.keys.k: key must be a text of at least 16 characters",
                "{'k':{'sha256':'12','scopes':['infer']}} | api.keys.k: sha256 must be 64 hexadecimal digits",
                "{'k':{'hash':'x','scopes':['infer']}} | api.keys.k: hash must be",
                "{'k':{'scopes':['infer']}} | api.keys.k: needs exactly one of",
                "{'k':{'key':'sixteen letters!','hash':'x','scopes':['infer']}} | api.keys.k: needs exactly one of",
                "{'k':{'key':'sixteen letters!'}} | api.keys.k: scopes are missing",
                "{'k':{'key':'sixteen letters!','scopes':[]}} | api.keys.k: scopes are missing",
                "{'k':{'key':'sixteen letters!','scopes':['open']}} | api.keys.k: unknown scope open",
                "{'k':{'key':'sixteen letters!','scopes':['infer'],'rate':1}} | api.keys.k: unknown field rate",
                "{'k':{'key':'sixteen letters!','scopes':['infer'],'max_concurrent':0}} | api.keys.k: max_concurrent must be",
                "{'k':{'key':'sixteen letters!','scopes':['infer'],'tokens_per_minute':'x'}} | api.keys.k: 'tokens_per_minute' must be",
                "{'127.0.0.1':{'key':'sixteen letters!','scopes':['infer']}} | api.keys.127.0.0.1: an id is",
                "{'k':1} | api.keys.k: must be a mapping"
            })
    void namesWhatDoesNotFitInTheConfiguration(String json, String message) {
        String thrown = assertThrows(ConfigurationException.class, () -> open(json.replace('\'', '"')))
                .getMessage();
        assertTrue(thrown.startsWith(message), thrown);
        assertFalse(thrown.contains("sixteen letters!"), "secrets are not repeated");
    }

    @Test
    void storesKeysHashedForTheOwnerAloneAndFindsThemAgain() throws IOException {
        KeyStore store = open("{}");
        KeyStore.Created created = store.create("ci", Set.of(Scope.INFER), new ApiKey.Limits(3, 1000));
        Path file = home.resolve("api_keys.json");
        assertFalse(Files.readString(file).contains(created.key().substring("sk-skulk-".length())));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        KeyStore again = open("{}");
        assertEquals(List.of(created.kept()), again.stored().keys());
        assertEquals(Optional.of("ci"), found(again, created.key()));
        assertTrue(again.delete("ci"));
        assertFalse(again.delete("ci"));
        assertEquals(Optional.empty(), found(again, created.key()));
        assertEquals(List.of(), open("{}").stored().keys());
        try (var files = Files.list(home)) {
            assertEquals(List.of(file), files.toList(), "no partial files are left");
        }
    }

    @Test
    void learnsOfOtherNodesKeysAndRemovalsForGood() {
        KeyStore here = open("{}");
        KeyStore there = FileKeyStore.open(JsonObject.EMPTY, home.resolve("there"));
        String key = here.create("a", Set.of(Scope.ADMIN), ApiKey.Limits.NONE).key();
        StoredKeys old = here.stored();
        assertEquals(old, there.merge(old));
        assertEquals(Optional.of("a"), found(there, key));
        assertTrue(there.delete("a"), "made on one node, removed on another");
        here.merge(there.stored());
        assertEquals(Optional.empty(), found(here, key));
        here.merge(old);
        assertEquals(Optional.empty(), found(here, key), "a node that was away does not bring it back");
        KeyStore restarted = open("{}");
        restarted.merge(old);
        assertEquals(Optional.empty(), found(restarted, key), "not after a restart either");
        String again =
                restarted.create("a", Set.of(Scope.INFER), ApiKey.Limits.NONE).key();
        restarted.merge(there.stored());
        assertEquals(Optional.of("a"), found(restarted, again), "the id can be used again");
    }

    @Test
    void keepsConfiguredKeysApart() {
        KeyStore store = open("{\"c\":{\"key\":\"sixteen letters!\",\"scopes\":[\"infer\"]}}");
        assertEquals(Problem.Kind.CONFLICT, kind(() -> store.create("c", Set.of(Scope.ADMIN), ApiKey.Limits.NONE)));
        assertEquals(Problem.Kind.CONFLICT, kind(() -> store.delete("c")));
        assertEquals(
                Problem.Kind.USER_ERROR, kind(() -> store.create("10.0.0.1", Set.of(Scope.ADMIN), ApiKey.Limits.NONE)));
        KeyHash other = KeyHash.ofRandom("another key");
        store.merge(StoredKeys.EMPTY.with(
                new ApiKey("c", other, Set.of(Scope.ADMIN), ApiKey.Limits.NONE, java.time.Instant.EPOCH)));
        assertEquals(Optional.empty(), found(store, "another key"), "a configured key wins over one of another node");
        assertEquals(Optional.of("c"), found(store, "sixteen letters!"));
    }

    private static Problem.Kind kind(Runnable action) {
        return assertThrows(SkulkException.class, action::run).problem().kind();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{\"keys\":[{}]}",
                "{\"keys\":[{\"id\":\"a\",\"hash\":\"x\",\"scopes\":[\"infer\"]}]}"
            })
    void refusesABrokenFileInsteadOfLockingItsUsersOut(String text) throws IOException {
        Files.writeString(home.resolve("api_keys.json"), text);
        assertTrue(assertThrows(ConfigurationException.class, () -> open("{}"))
                .getMessage()
                .contains("api_keys.json"));
    }

    @Test
    void worksSlowHashesOutOncePerKeyRightOrWrong() {
        KeyHash chosen = KeyHash.ofChosen("correct horse battery staple");
        KeyRing ring = new KeyRing(
                List.of(new ApiKey("c", chosen, Set.of(Scope.INFER), ApiKey.Limits.NONE, java.time.Instant.EPOCH)));
        AtomicInteger asked = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            assertTrue(ring.find("correct horse battery staple", () -> asked.incrementAndGet() > 0)
                    .isPresent());
            assertTrue(ring.find("wrong", () -> asked.incrementAndGet() > 0).isEmpty());
        }
        assertEquals(2, asked.get());
        assertTrue(ring.find("not asked for", () -> false).isEmpty());
        assertTrue(ring.find("x".repeat(10_000), () -> {
                    throw new AssertionError("nobody's key is that long");
                })
                .isEmpty());
    }
}
