package skulk.kernel.security;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A set of keys to find the one that a request presents. Immutable but for what it remembers: a key behind a slow hash is worked out once, then known by its
 * code under a secret of this process. Safe for use by several threads.
 */
public final class KeyRing {
    /** Longest key that is looked at; nobody's is longer. */
    private static final int LONGEST = 512;

    private static final int REMEMBERED = 4096;
    private static final String MAC = "HmacSHA256";

    private final List<ApiKey> keys;
    private final byte[] secret = new byte[32];
    private final Map<String, Optional<ApiKey>> known =
            Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Optional<ApiKey>> eldest) {
                    return size() > REMEMBERED;
                }
            });

    public KeyRing(List<ApiKey> keys) {
        this.keys = List.copyOf(keys);
        new SecureRandom().nextBytes(secret);
    }

    public List<ApiKey> keys() {
        return keys;
    }

    /** The key of an id. */
    public Optional<ApiKey> byId(String id) {
        return keys.stream().filter(key -> key.id().equals(id)).findFirst();
    }

    /**
     * The key that was presented. Fast hashes are all compared, whether one has matched or not, so that the time taken tells nothing.
     *
     * @param slowly asked before slow hashes are worked out; where it says false they are not
     */
    public Optional<ApiKey> find(String presented, BooleanSupplier slowly) {
        if (presented.isEmpty() || presented.length() > LONGEST) {
            return Optional.empty();
        }
        Optional<ApiKey> found = Optional.empty();
        List<ApiKey> slow = new ArrayList<>();
        for (ApiKey key : keys) {
            if (key.hash().slow()) {
                slow.add(key);
            } else if (key.hash().matches(presented)) {
                found = Optional.of(key);
            }
        }
        if (found.isPresent() || slow.isEmpty()) {
            return found;
        }
        String code = code(presented);
        Optional<ApiKey> remembered = known.get(code); // wrong ones too: clients that need no key send made-up ones
        if (remembered != null) {
            return remembered;
        }
        if (!slowly.getAsBoolean()) {
            return Optional.empty();
        }
        for (ApiKey key : slow) {
            if (key.hash().matches(presented)) {
                found = Optional.of(key);
            }
        }
        known.put(code, found);
        return found;
    }

    private String code(String presented) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(new SecretKeySpec(secret, MAC));
            return HexFormat.of().formatHex(mac.doFinal(presented.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new AssertionError("every JDK has HMAC-SHA-256", e);
        }
    }
}
