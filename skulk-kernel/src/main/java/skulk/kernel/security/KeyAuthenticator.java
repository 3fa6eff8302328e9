package skulk.kernel.security;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import skulk.api.http.Exchange;
import skulk.api.http.Route.Scope;
import skulk.api.problem.Problem;
import skulk.kernel.security.Pages.Standing;

/**
 * The rule of the node: a key does what its scopes say; this machine needs none, nor does anybody where listening openly was asked for; pages of other origins
 * may ask models without a key but not change the node.
 *
 * <p>A key in a header counts from everywhere: no page can make a browser send one that it does not know. The cookie counts only from the node's own pages and
 * from origins that are named, since browsers add it by themselves.
 */
public final class KeyAuthenticator implements Authenticator {
    /** Name of the cookie that carries a key for the dashboard. */
    public static final String COOKIE = "skulk_key";

    private static final Set<Scope> ASKING = EnumSet.of(Scope.OPEN, Scope.INFER);
    private static final long TURN_SECONDS = 2;

    private final Supplier<KeyRing> keys;
    private final Access access;
    private final Pages pages;
    private final Attempts attempts = new Attempts(System::nanoTime);
    private final ReentrantLock slowly = new ReentrantLock(true);

    /** @param keys those that count now */
    public KeyAuthenticator(Supplier<KeyRing> keys, Access access) {
        this.keys = keys;
        this.access = access;
        this.pages = new Pages(access.origins(), access.names());
    }

    @Override
    public Verdict authenticate(Credentials credentials) {
        Standing standing = pages.standing(credentials.page(), access.insecure());
        Look look = new Look(credentials.remote().address());
        Optional<ApiKey> key = credentials.key().flatMap(look::find);
        if (key.isPresent()) {
            return new Allowed(caller(key.get(), credentials));
        }
        if (standing != Standing.FOREIGN) {
            key = credentials.cookie().flatMap(look::find);
            if (key.isPresent()) {
                return ownPage(credentials.page())
                        ? new Allowed(caller(key.get(), credentials))
                        : forbidden("A request with the cookie " + COOKIE
                                + " that changes something needs the header Origin of this node's own page");
            }
        }
        boolean trusted =
                credentials.remote().loopback() && !credentials.remote().forwarded() && access.loopbackOpen();
        if (trusted || access.insecure()) {
            return withoutKey(credentials, standing);
        }
        if (look.tooOften) {
            return new Refused(Problem.of(
                            Problem.Kind.OVERLOADED,
                            "rate_limit_exceeded",
                            "Too many API keys that are not known here came from this address")
                    .retryAfter(Attempts.pause()));
        }
        return new Refused(Problem.of(
                Problem.Kind.UNAUTHENTICATED,
                "invalid_api_key",
                credentials.key().isPresent() || credentials.cookie().isPresent()
                        ? "The API key is not known here"
                        : "An API key is needed: send it as 'Authorization: Bearer …'"));
    }

    private Verdict withoutKey(Credentials credentials, Standing standing) {
        String address = credentials.remote().address();
        if (standing != Standing.FOREIGN) {
            return new Allowed(new Exchange.Caller(address, address, EnumSet.allOf(Scope.class)));
        }
        String what = credentials.page().origin().isPresent()
                ? "A page of " + shown(credentials.page().origin().get())
                : "A request to the name " + shown(credentials.page().host());
        String remedy = credentials.page().origin().isPresent()
                ? "name the origin in api.cors.origins"
                : "name it in api.names";
        return pages.everybody()
                ? new Allowed(
                        new Exchange.Caller(address, address, ASKING),
                        what + " may ask models without an API key, not change the node: send a key, or " + remedy)
                : forbidden(what + " may not call this node without an API key: send one, or " + remedy);
    }

    private static String shown(String text) {
        return text.length() > 100 ? text.substring(0, 100) + "…" : text;
    }

    private static boolean ownPage(Page page) {
        return page.reads()
                || page.origin().isPresent()
                || page.site().filter(site -> site.equals("same-origin")).isPresent();
    }

    private static Refused forbidden(String message) {
        return new Refused(Problem.of(Problem.Kind.FORBIDDEN, message));
    }

    private static Exchange.Caller caller(ApiKey key, Credentials credentials) {
        return new Exchange.Caller(key.id(), credentials.remote().address(), key.scopes());
    }

    /** Looks keys up for one request, one slow one at a time over all requests: guessing costs one core at most. */
    private final class Look {
        private final String address;
        private boolean tooOften;

        Look(String address) {
            this.address = address;
        }

        Optional<ApiKey> find(String presented) {
            try {
                return keys.get().find(presented, this::begin);
            } finally {
                if (slowly.isHeldByCurrentThread()) {
                    slowly.unlock();
                }
            }
        }

        private boolean begin() {
            try {
                tooOften = !attempts.take(address) || !slowly.tryLock(TURN_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                tooOften = true;
            }
            return !tooOften;
        }
    }
}
