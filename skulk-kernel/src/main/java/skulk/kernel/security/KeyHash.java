package skulk.kernel.security;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * What is kept of a key instead of the key.
 *
 * <p>Keys that Skulk makes are 256 random bits: nobody finds one by trying, at whatever speed, so that a salted SHA-256 is as safe as a slow hash and costs a
 * microsecond per request. Keys that people choose can be guessed; theirs is PBKDF2 with HMAC-SHA-256 and the 600,000 rounds that OWASP's Password Storage
 * Cheat Sheet asks for.
 *
 * @param rounds of PBKDF2; 0 is plain SHA-256 over salt and key
 * @param salt hexadecimal; may be empty for SHA-256 of a random key
 * @param digest 32 bytes, hexadecimal
 */
public record KeyHash(int rounds, String salt, String digest) {
    /** Rounds for keys that people choose. */
    public static final int ROUNDS = 600_000;

    private static final int MAX_ROUNDS = 10_000_000;
    private static final int BYTES = 32;
    private static final String SHA256 = "sha256";
    private static final String PBKDF2 = "pbkdf2-sha256";
    private static final HexFormat HEX = HexFormat.of();

    /** The hash of a random key, with a salt of its own. */
    public static KeyHash ofRandom(String key) {
        String salt = HEX.formatHex(random(16));
        return new KeyHash(0, salt, HEX.formatHex(digest(0, salt, key)));
    }

    /** The hash of a key that somebody chose; takes a good part of a second. */
    public static KeyHash ofChosen(String key) {
        String salt = HEX.formatHex(random(16));
        return new KeyHash(ROUNDS, salt, HEX.formatHex(digest(ROUNDS, salt, key)));
    }

    /** A new key: 256 random bits, marked so that scanners of leaked secrets can know it. */
    public static String newKey() {
        return "sk-skulk-" + java.util.Base64.getUrlEncoder().withoutPadding().encodeToString(random(BYTES));
    }

    /** Reads what {@link #text()} writes; empty where it is something else. */
    public static Optional<KeyHash> parse(String text) {
        String[] parts = text.split("\\$", -1);
        try {
            if (parts.length == 3 && parts[0].equals(SHA256)) {
                return checked(new KeyHash(0, parts[1], parts[2]));
            }
            if (parts.length == 4 && parts[0].equals(PBKDF2)) {
                int rounds = Integer.parseInt(parts[1]);
                boolean sane = rounds >= 1000 && rounds <= MAX_ROUNDS && parts[2].length() >= 16;
                return sane ? checked(new KeyHash(rounds, parts[2], parts[3])) : Optional.empty();
            }
            return Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static Optional<KeyHash> checked(KeyHash hash) {
        try {
            HEX.parseHex(hash.salt());
            return HEX.parseHex(hash.digest()).length == BYTES ? Optional.of(hash) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** {@code sha256$salt$digest} or {@code pbkdf2-sha256$rounds$salt$digest}. */
    public String text() {
        return rounds == 0
                ? String.join("$", SHA256, salt, digest)
                : String.join("$", PBKDF2, Integer.toString(rounds), salt, digest);
    }

    /** Whether checking a key takes long. */
    public boolean slow() {
        return rounds > 0;
    }

    /** Whether this is the hash of a key; takes the same time whether it is or not. */
    public boolean matches(String key) {
        return MessageDigest.isEqual(HEX.parseHex(digest), digest(rounds, salt, key));
    }

    private static byte[] digest(int rounds, String salt, String key) {
        byte[] bytes = HEX.parseHex(salt);
        try {
            if (rounds == 0) {
                MessageDigest sha = MessageDigest.getInstance("SHA-256");
                sha.update(bytes);
                return sha.digest(key.getBytes(StandardCharsets.UTF_8));
            }
            char[] characters = key.toCharArray();
            PBEKeySpec spec = new PBEKeySpec(characters, bytes, rounds, BYTES * 8);
            try {
                return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                        .generateSecret(spec)
                        .getEncoded();
            } finally {
                spec.clearPassword();
                Arrays.fill(characters, '\0');
            }
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has SHA-256 and PBKDF2", e);
        }
    }

    private static byte[] random(int bytes) {
        byte[] made = new byte[bytes];
        new SecureRandom().nextBytes(made);
        return made;
    }
}
