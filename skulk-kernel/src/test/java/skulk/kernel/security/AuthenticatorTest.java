package skulk.kernel.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.api.http.Route.Scope;
import skulk.api.problem.Problem;
import skulk.kernel.security.Authenticator.Allowed;
import skulk.kernel.security.Authenticator.Credentials;
import skulk.kernel.security.Authenticator.Page;
import skulk.kernel.security.Authenticator.Refused;
import skulk.kernel.security.Authenticator.Remote;
import skulk.kernel.security.Authenticator.Verdict;

/** Who is let in, as what. */
class AuthenticatorTest {
    private static final Remote HERE = new Remote("127.0.0.1", true, false);
    private static final Remote THERE = new Remote("192.0.2.1", false, false);
    private static final Access EVERY_PAGE = new Access(false, true, List.of("*"), Set.of("skulk.lan"));
    private static final Access NAMED_PAGES =
            new Access(false, true, List.of("http://good.example"), Set.of("skulk.lan"));
    private static final String KEY = "a key of this test";

    private static KeyRing ring(KeyHash hash) {
        return new KeyRing(List.of(new ApiKey("ci", hash, Set.of(Scope.PLACE), ApiKey.Limits.NONE, Instant.EPOCH)));
    }

    private static Verdict ask(Access access, Remote remote, Optional<String> key, Page page) {
        return new KeyAuthenticator(() -> ring(KeyHash.ofRandom(KEY)), access)
                .authenticate(new Credentials(remote, key, Optional.empty(), page));
    }

    private static Verdict cookie(Access access, Page page) {
        return new KeyAuthenticator(() -> ring(KeyHash.ofRandom(KEY)), access)
                .authenticate(new Credentials(THERE, Optional.empty(), Optional.of(KEY), page));
    }

    private static Page page(String method, String host, String origin) {
        return new Page(method, host, origin.isEmpty() ? Optional.empty() : Optional.of(origin), Optional.empty());
    }

    private static Set<Scope> scopes(Verdict verdict) {
        return verdict instanceof Allowed allowed ? allowed.caller().scopes() : Set.of();
    }

    private static Problem.Kind refusal(Verdict verdict) {
        return ((Refused) verdict).problem().kind();
    }

    @Test
    void takesAKeyFromEverywhere() {
        for (Access access : List.of(EVERY_PAGE, NAMED_PAGES)) {
            for (Page page :
                    List.of(page("POST", "192.0.2.9", ""), page("POST", "evil.example", "http://evil.example"))) {
                Verdict verdict = ask(access, THERE, Optional.of(KEY), page);
                assertEquals("ci", ((Allowed) verdict).caller().id());
                assertEquals(Set.of(Scope.OPEN, Scope.INFER, Scope.PLACE), scopes(verdict));
            }
        }
    }

    @Test
    void refusesOthersWithoutOne() {
        Page page = page("GET", "192.0.2.9", "");
        assertEquals(Problem.Kind.UNAUTHENTICATED, refusal(ask(EVERY_PAGE, THERE, Optional.empty(), page)));
        assertEquals(Problem.Kind.UNAUTHENTICATED, refusal(ask(EVERY_PAGE, THERE, Optional.of("wrong"), page)));
        Remote proxied = new Remote("127.0.0.1", true, true);
        assertEquals(Problem.Kind.UNAUTHENTICATED, refusal(ask(EVERY_PAGE, proxied, Optional.empty(), page)));
        Access closed = new Access(false, false, List.of("*"), Set.of());
        assertEquals(
                Problem.Kind.UNAUTHENTICATED,
                refusal(ask(closed, HERE, Optional.empty(), page("GET", "localhost", ""))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "localhost:52415",
                "127.0.0.1:52415",
                "[::1]:52415",
                "app.localhost",
                "LOCALHOST.",
                "skulk.lan:1",
                "10.1.2.3"
            })
    void trustsThisMachineAtItsOwnNames(String host) {
        Verdict verdict = ask(EVERY_PAGE, HERE, Optional.of("a made-up key"), page("POST", host, ""));
        assertEquals("127.0.0.1", ((Allowed) verdict).caller().id());
        assertEquals(Set.of(Scope.values()), scopes(verdict));
        Verdict own = ask(EVERY_PAGE, HERE, Optional.empty(), page("POST", host, "http://" + host));
        assertEquals(Set.of(Scope.values()), scopes(own));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example",
                "evil.example:52415",
                "127.0.0.1.evil.example",
                "localhost.evil.example",
                "",
                "notlocalhost"
            })
    void takesAReboundNameForAForeignPage(String host) {
        for (String origin : List.of("", "http://" + host)) {
            Page page = page("GET", host, origin);
            assertEquals(Set.of(Scope.OPEN, Scope.INFER), scopes(ask(EVERY_PAGE, HERE, Optional.empty(), page)));
            assertEquals(Problem.Kind.FORBIDDEN, refusal(ask(NAMED_PAGES, HERE, Optional.empty(), page)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://evil.example", "null", "http://localhost:3000", "https://127.0.0.1", "garbage"})
    void letsForeignPagesAskModelsAtMost(String origin) {
        Page page = page("POST", "127.0.0.1:52415", origin);
        Verdict verdict = ask(EVERY_PAGE, HERE, Optional.empty(), page);
        assertEquals(Set.of(Scope.OPEN, Scope.INFER), scopes(verdict));
        assertTrue(((Allowed) verdict).limitation().contains("api.cors.origins"));
        assertEquals(Problem.Kind.FORBIDDEN, refusal(ask(NAMED_PAGES, HERE, Optional.empty(), page)));
        Access insecure = new Access(true, true, List.of("*"), Set.of());
        assertEquals(Set.of(Scope.OPEN, Scope.INFER), scopes(ask(insecure, THERE, Optional.empty(), page)));
    }

    @Test
    void trustsPagesThatAreNamed() {
        Page page = page("POST", "127.0.0.1:52415", "http://good.example");
        assertEquals(Set.of(Scope.values()), scopes(ask(NAMED_PAGES, HERE, Optional.empty(), page)));
    }

    @Test
    void letsEverybodyInWhereThatWasAskedFor() {
        Access insecure = new Access(true, true, List.of("*"), Set.of());
        assertEquals(
                Set.of(Scope.values()),
                scopes(ask(insecure, THERE, Optional.empty(), page("POST", "anything.example", ""))));
    }

    @Test
    void takesTheCookieFromOwnPagesAlone() {
        assertEquals(
                "ci",
                ((Allowed) cookie(EVERY_PAGE, page("GET", "skulk.lan", "")))
                        .caller()
                        .id());
        assertEquals(
                "ci",
                ((Allowed) cookie(EVERY_PAGE, page("POST", "skulk.lan", "http://skulk.lan")))
                        .caller()
                        .id());
        assertEquals(
                "ci",
                ((Allowed) cookie(NAMED_PAGES, page("POST", "skulk.lan", "http://good.example")))
                        .caller()
                        .id());
        Page fetched = new Page("POST", "skulk.lan", Optional.empty(), Optional.of("same-origin"));
        assertEquals("ci", ((Allowed) cookie(EVERY_PAGE, fetched)).caller().id());
        assertEquals(Problem.Kind.FORBIDDEN, refusal(cookie(EVERY_PAGE, page("POST", "skulk.lan", ""))), "no Origin");
        assertEquals(
                Problem.Kind.UNAUTHENTICATED,
                refusal(cookie(EVERY_PAGE, page("POST", "skulk.lan", "http://skulk.lan:3000"))),
                "another port");
        assertEquals(
                Problem.Kind.UNAUTHENTICATED,
                refusal(cookie(EVERY_PAGE, page("GET", "skulk.lan", "http://evil.example"))));
        assertEquals(
                Problem.Kind.UNAUTHENTICATED,
                refusal(cookie(EVERY_PAGE, page("GET", "evil.example", ""))),
                "a rebound name");
        Page linked = new Page("DELETE", "skulk.lan", Optional.empty(), Optional.of("cross-site"));
        assertEquals(Problem.Kind.UNAUTHENTICATED, refusal(cookie(EVERY_PAGE, linked)));
    }

    @Test
    void slowsGuessingOfChosenKeysDown() {
        KeyHash chosen = new KeyHash(1000, "0011223344556677", "00".repeat(32));
        KeyRing ring = ring(chosen);
        KeyAuthenticator authenticator = new KeyAuthenticator(() -> ring, EVERY_PAGE);
        Page page = page("GET", "192.0.2.9", "");
        Problem.Kind last = Problem.Kind.UNAUTHENTICATED;
        int tried = 0;
        while (last == Problem.Kind.UNAUTHENTICATED && tried < 100) {
            tried++;
            last = refusal(authenticator.authenticate(
                    new Credentials(THERE, Optional.of("guess " + tried), Optional.empty(), page)));
        }
        assertEquals(Problem.Kind.OVERLOADED, last);
        assertTrue(tried <= 12, "after " + tried);
        Remote another = new Remote("192.0.2.2", false, false);
        assertEquals(
                Problem.Kind.UNAUTHENTICATED,
                refusal(authenticator.authenticate(
                        new Credentials(another, Optional.of("guess"), Optional.empty(), page))));
        for (int i = 0; i < 20; i++) {
            Credentials madeUp =
                    new Credentials(HERE, Optional.of("made up " + i), Optional.empty(), page("GET", "localhost", ""));
            assertTrue(authenticator.authenticate(madeUp) instanceof Allowed, "who needs no key is not slowed down");
        }
    }

    @Test
    void givesAttemptsBackWithTime() {
        AtomicLong now = new AtomicLong(-5);
        Attempts attempts = new Attempts(now::get);
        for (int i = 0; i < 10; i++) {
            assertTrue(attempts.take("a"));
        }
        assertFalse(attempts.take("a"));
        assertTrue(attempts.take("b"));
        now.addAndGet(Attempts.pause().toNanos());
        assertTrue(attempts.take("a"));
        assertFalse(attempts.take("a"));
    }
}
