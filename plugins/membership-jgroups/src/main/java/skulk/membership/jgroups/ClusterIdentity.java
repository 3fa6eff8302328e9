package skulk.membership.jgroups;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * The TLS identity that all members of a cluster share, made from the cluster's secret alone: the same secret gives the same Ed25519 key and the same
 * self-signed certificate on every node, so mutual TLS with that one certificate as trust anchor admits exactly those who know the secret, and nothing but the
 * secret has to be carried to a new machine.
 */
record ClusterIdentity(KeyPair keys, X509Certificate certificate) {
    /** OWASP's figure for PBKDF2 with HMAC-SHA-512 (Password Storage Cheat Sheet, 2023). */
    private static final int ITERATIONS = 210_000;

    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int OID = 0x06;
    private static final int UTF8 = 0x0c;
    private static final int GENERALIZED_TIME = 0x18;
    /** id-Ed25519, 1.3.101.112 (RFC 8410 section 3). */
    private static final byte[] ED25519 = {0x2b, 0x65, 0x70};
    /** id-at-commonName, 2.5.4.3 (RFC 5280 appendix A). */
    private static final byte[] COMMON_NAME = {0x55, 0x04, 0x03};

    /** The identity of a secret; the namespace is the salt, so that equal secrets of two clusters give different identities. */
    static ClusterIdentity of(String secret, String namespace) {
        try {
            byte[] seed = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                    .generateSecret(new PBEKeySpec(
                            secret.toCharArray(),
                            ("skulk:" + namespace).getBytes(StandardCharsets.UTF_8),
                            ITERATIONS,
                            256))
                    .getEncoded();
            KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
            // an Ed25519 private key is 32 random bytes (RFC 8032 section 5.1.5): these
            generator.initialize(255, new Fixed(seed));
            KeyPair keys = generator.generateKeyPair();
            return new ClusterIdentity(keys, selfSigned(keys));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java 25 has PBKDF2 and Ed25519", e);
        }
    }

    /** A version 1 certificate (RFC 5280 section 4.1) over the public key, valid for as long as clusters may live. */
    private static X509Certificate selfSigned(KeyPair keys) throws GeneralSecurityException {
        byte[] algorithm = der(SEQUENCE, der(OID, ED25519));
        byte[] name = der(
                SEQUENCE,
                der(
                        SET,
                        der(
                                SEQUENCE,
                                der(OID, COMMON_NAME),
                                der(UTF8, "skulk cluster".getBytes(StandardCharsets.UTF_8)))));
        byte[] validity = der(SEQUENCE, time("20200101000000Z"), time("20991231235959Z"));
        byte[] facts = der(
                SEQUENCE,
                der(INTEGER, BigInteger.ONE.toByteArray()),
                algorithm,
                name,
                validity,
                name,
                keys.getPublic().getEncoded());
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(keys.getPrivate());
        signature.update(facts);
        byte[] certificate = der(SEQUENCE, facts, algorithm, der(BIT_STRING, new byte[] {0}, signature.sign()));
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(certificate));
    }

    private static byte[] time(String text) {
        return der(GENERALIZED_TIME, text.getBytes(StandardCharsets.US_ASCII));
    }

    /** One value in the distinguished encoding rules (X.690). */
    private static byte[] der(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        int length = content.size();
        if (length < 128) {
            out.write(length);
        } else {
            byte[] size = BigInteger.valueOf(length).toByteArray();
            int skip = size[0] == 0 ? 1 : 0;
            out.write(0x80 | (size.length - skip));
            out.write(size, skip, size.length - skip);
        }
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }

    /** "Randomness" that is the seed, once. */
    private static final class Fixed extends SecureRandom {
        private static final long serialVersionUID = 1L;

        private final byte[] seed;

        Fixed(byte[] seed) {
            this.seed = seed.clone();
        }

        @Override
        public void nextBytes(byte[] bytes) {
            System.arraycopy(seed, 0, bytes, 0, bytes.length);
        }
    }
}
