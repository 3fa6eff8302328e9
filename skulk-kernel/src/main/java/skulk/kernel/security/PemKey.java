package skulk.kernel.security;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * Private keys out of PEM texts (RFC 7468) in the forms that OpenSSL writes: PKCS#8, plain and encrypted, PKCS#1 ({@code RSA PRIVATE KEY}, RFC 8017) and SEC 1
 * ({@code EC PRIVATE KEY}, RFC 5915). The JDK reads the first; the older two are put into its envelope (RFC 5208) here.
 */
final class PemKey {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ((?:ENCRYPTED |RSA |EC )?PRIVATE KEY)-----([^-]*)-----END \\1-----");
    /** Object identifiers with tag and length, as DER has them: rsaEncryption and NULL, ecPublicKey. */
    private static final byte[] RSA = HexFormat.of().parseHex("06092a864886f70d0101010500");

    private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");

    private PemKey() {}

    /** @throws GeneralSecurityException saying what the text is instead */
    static PrivateKey read(String pem, char[] password) throws GeneralSecurityException {
        Matcher block = BLOCK.matcher(pem);
        if (!block.find()) {
            throw new InvalidKeyException("holds no private key (BEGIN PRIVATE KEY)");
        }
        if (block.group(2).contains("ENCRYPTED")) {
            throw new InvalidKeyException("is encrypted in OpenSSL's old way; convert it with 'openssl pkcs8 -topk8'");
        }
        byte[] bytes;
        try {
            bytes = Base64.getMimeDecoder().decode(block.group(2));
        } catch (IllegalArgumentException e) {
            throw new InvalidKeyException("is not Base64 between its BEGIN and END", e);
        }
        return switch (block.group(1)) {
            case "RSA PRIVATE KEY" -> decode(new PKCS8EncodedKeySpec(envelope(RSA, bytes)), List.of("RSA"));
            case "EC PRIVATE KEY" ->
                decode(new PKCS8EncodedKeySpec(envelope(join(EC, curve(bytes)), bytes)), List.of("EC"));
            case "ENCRYPTED PRIVATE KEY" -> decode(decrypt(bytes, password), List.of("RSA", "EC", "EdDSA"));
            default -> decode(new PKCS8EncodedKeySpec(bytes), List.of("RSA", "EC", "EdDSA"));
        };
    }

    private static PrivateKey decode(PKCS8EncodedKeySpec spec, List<String> algorithms)
            throws GeneralSecurityException {
        for (String algorithm : algorithms) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException e) {
                continue; // another algorithm's key
            }
        }
        throw new InvalidKeyException("is no key of " + String.join(", ", algorithms));
    }

    private static PKCS8EncodedKeySpec decrypt(byte[] bytes, char[] password) throws GeneralSecurityException {
        if (password.length == 0) {
            throw new InvalidKeyException("is encrypted; set api.tls.password");
        }
        try {
            EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(bytes);
            // PBES2 is named only in the parameters
            String scheme =
                    info.getAlgName().equals("PBES2") || info.getAlgName().equals("1.2.840.113549.1.5.13")
                            ? info.getAlgParameters().toString()
                            : info.getAlgName();
            Cipher cipher = Cipher.getInstance(scheme);
            cipher.init(
                    Cipher.DECRYPT_MODE,
                    SecretKeyFactory.getInstance(scheme).generateSecret(new PBEKeySpec(password)),
                    info.getAlgParameters());
            return info.getKeySpec(cipher);
        } catch (java.io.IOException | GeneralSecurityException e) {
            throw new InvalidKeyException("cannot be decrypted with api.tls.password", e);
        }
    }

    /** {@code SEQUENCE {INTEGER 0, SEQUENCE {algorithm}, OCTET STRING {key}}}. */
    private static byte[] envelope(byte[] algorithm, byte[] key) {
        return element(0x30, join(new byte[] {2, 1, 0}, element(0x30, algorithm), element(0x04, key)));
    }

    private static byte[] element(int tag, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < 0x80) {
            out.write(content.length);
        } else {
            byte[] length = Arrays.copyOfRange(
                    new byte[] {(byte) (content.length >> 16), (byte) (content.length >> 8), (byte) content.length},
                    content.length < 0x100 ? 2 : content.length < 0x10000 ? 1 : 0,
                    3);
            out.write(0x80 | length.length);
            out.writeBytes(length);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /** The named curve of {@code SEQUENCE {INTEGER 1, OCTET STRING, [0] {OBJECT IDENTIFIER}, …}}, with tag and length. */
    private static byte[] curve(byte[] key) throws InvalidKeyException {
        try {
            int at = skipHeader(key, 0, 0x30);
            at = skipHeader(key, at, 0x02) + 1;
            int octets = skipHeader(key, at, 0x04);
            at = octets + (key[at + 1] & 0xFF);
            int identifier = skipHeader(key, at, 0xA0);
            skipHeader(key, identifier, 0x06);
            return Arrays.copyOfRange(key, identifier, identifier + 2 + (key[identifier + 1] & 0xFF));
        } catch (IndexOutOfBoundsException e) {
            throw new InvalidKeyException("is cut short", e);
        }
    }

    private static int skipHeader(byte[] bytes, int at, int tag) throws InvalidKeyException {
        if ((bytes[at] & 0xFF) != tag) {
            throw new InvalidKeyException("is an EC key without a named curve; convert it with 'openssl pkcs8 -topk8'");
        }
        int length = bytes[at + 1] & 0xFF;
        return at + 2 + (length > 0x80 ? length - 0x80 : 0);
    }
}
