package skulk.storage.store;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Authenticates a request with the cluster's secret without sending it: {@code X-Skulk-Signature: <epoch seconds>.<hex>}, the HMAC-SHA-256 of method, raw
 * path and time, valid for five minutes. An empty secret signs nothing and accepts everything.
 */
record Signature(String secret) {
    static final String HEADER = "X-Skulk-Signature";
    private static final Duration VALID = Duration.ofMinutes(5);

    /** The header's value; empty where there is no secret. */
    Optional<String> sign(String method, String path, Instant now) {
        return secret.isEmpty()
                ? Optional.empty()
                : Optional.of(now.getEpochSecond() + "." + hmac(method, path, now.getEpochSecond()));
    }

    boolean accepts(Optional<String> header, String method, String path, Instant now) {
        if (secret.isEmpty()) {
            return true;
        }
        String[] parts = header.orElse("").split("\\.", 2);
        if (parts.length != 2 || !parts[0].matches("[0-9]{1,12}")) {
            return false;
        }
        long time = Long.parseLong(parts[0]);
        boolean fresh = Math.abs(now.getEpochSecond() - time) <= VALID.toSeconds();
        byte[] wanted = hmac(method, path, time).getBytes(StandardCharsets.US_ASCII);
        return fresh && MessageDigest.isEqual(wanted, parts[1].getBytes(StandardCharsets.US_ASCII));
    }

    private String hmac(String method, String path, long time) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            String text = "skulk store\n" + method + "\n" + path + "\n" + time;
            return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }
}
