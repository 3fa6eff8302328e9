package skulk.kernel.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import skulk.api.http.Exchange;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * The rule of the node: this machine needs no key; others need one, unless listening openly was asked for. Keys are kept as SHA-256 digests; they are random,
 * so that a plain digest says nothing about them.
 */
final class KeyAuthenticator implements Authenticator {
    private final List<Known> keys;
    private final boolean insecure;

    private record Known(String id, byte[] digest, Set<Scope> scopes) {}

    /**
     * @param keys the mapping {@code api.keys}: id to {@code {sha256, scopes}}
     * @param insecure whether callers without a key may do everything
     */
    KeyAuthenticator(JsonObject keys, boolean insecure) {
        List<Known> known = new ArrayList<>();
        keys.members().forEach((id, value) -> known.add(read(id, value)));
        this.keys = List.copyOf(known);
        this.insecure = insecure;
    }

    private static Known read(String id, Json value) {
        if (!(value instanceof JsonObject key)) {
            throw wrong(id, "must be a mapping of sha256 and scopes");
        }
        byte[] digest;
        try {
            digest = HexFormat.of().parseHex(key.string("sha256").orElse(""));
        } catch (IllegalArgumentException e) {
            throw wrong(id, "sha256 is not hexadecimal");
        }
        if (digest.length != 32) {
            throw wrong(id, "sha256 must be 64 hexadecimal digits");
        }
        Set<Scope> scopes = EnumSet.of(Scope.OPEN);
        for (Json item : key.array("scopes").orElseThrow(() -> wrong(id, "scopes are missing"))) {
            String word = item instanceof JsonString(String s) ? s : item.toString();
            try {
                scopes.add(Scope.valueOf(word.toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException e) {
                throw wrong(id, "unknown scope " + word + "; there are infer, place, admin");
            }
        }
        return new Known(id, digest, scopes);
    }

    private static SkulkException wrong(String id, String what) {
        return new SkulkException(Problem.Kind.USER_ERROR, "api.keys." + id + ": " + what);
    }

    @Override
    public Verdict authenticate(Credentials credentials) {
        Optional<Known> known = credentials.key().flatMap(this::find);
        if (known.isPresent()) {
            return new Allowed(new Exchange.Caller(
                    known.get().id(), credentials.remoteAddress(), known.get().scopes()));
        }
        if (insecure || credentials.loopback()) {
            return new Allowed(new Exchange.Caller(
                    credentials.remoteAddress(), credentials.remoteAddress(), EnumSet.allOf(Scope.class)));
        }
        return new Refused(Problem.of(
                Problem.Kind.UNAUTHENTICATED,
                credentials.key().isPresent()
                        ? "The API key is not known here"
                        : "An API key is needed: send it as 'Authorization: Bearer …'"));
    }

    private Optional<Known> find(String key) {
        byte[] digest = sha256(key);
        Optional<Known> found = Optional.empty();
        for (Known known : keys) { // all of them, so that the time taken tells nothing
            if (MessageDigest.isEqual(known.digest(), digest)) {
                found = Optional.of(known);
            }
        }
        return found;
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
