package skulk.kernel.security;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;

/**
 * Where the key and the certificate chain of the API lie: two PEM files, as certificate authorities hand them out, or a keystore.
 *
 * @param certificates PEM, the node's own first; or the keystore
 * @param key PEM; empty where there is a keystore
 * @param password of the keystore or of an encrypted PEM key; "" where there is none
 */
public record TlsFiles(Path certificates, Optional<Path> key, String password) {

    /**
     * As the configuration has it; empty where it asks for no TLS.
     *
     * @throws IOException where half of it is missing or there is too much
     */
    public static Optional<TlsFiles> of(Configuration configuration) throws IOException {
        String certificate = configuration.get(Keys.API_TLS_CERTIFICATE);
        String key = configuration.get(Keys.API_TLS_KEY);
        String keystore = configuration.get(Keys.API_TLS_KEYSTORE);
        String password = configuration.get(Keys.API_TLS_PASSWORD);
        if (!keystore.isEmpty() && certificate.isEmpty() && key.isEmpty()) {
            return Optional.of(new TlsFiles(Path.of(keystore), Optional.empty(), password));
        }
        if (!keystore.isEmpty()) {
            throw new IOException("api.tls.keystore and api.tls.certificate: set one of the two");
        }
        if (certificate.isEmpty() != key.isEmpty()) {
            throw new IOException("api.tls.certificate and api.tls.key go together; api.tls."
                    + (key.isEmpty() ? "key" : "certificate") + " is missing");
        }
        return certificate.isEmpty()
                ? Optional.empty()
                : Optional.of(new TlsFiles(Path.of(certificate), Optional.of(Path.of(key)), password));
    }

    /** When the files were changed last. @throws IOException naming the file that is not there */
    List<FileTime> changed() throws IOException {
        List<FileTime> times = new ArrayList<>();
        times.add(Files.getLastModifiedTime(certificates));
        if (key.isPresent()) {
            times.add(Files.getLastModifiedTime(key.get()));
        }
        return times;
    }

    /** Reads the files. @throws IOException naming the one that does not fit, and why */
    X509ExtendedKeyManager load() throws IOException {
        try {
            char[] none = new char[0];
            KeyStore store = key.isPresent()
                    ? fromPem(key.get())
                    : KeyStore.getInstance(certificates.toFile(), password.toCharArray());
            KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, key.isPresent() ? none : password.toCharArray());
            for (KeyManager manager : factory.getKeyManagers()) {
                if (manager instanceof X509ExtendedKeyManager usable) {
                    return usable;
                }
            }
            throw new IOException("api.tls: " + certificates + " holds no key that TLS can use");
        } catch (NoSuchFileException | java.io.FileNotFoundException e) {
            throw new IOException("api.tls: there is no file " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new IOException("api.tls: " + certificates + " cannot be used: " + e.getMessage(), e);
        }
    }

    private KeyStore fromPem(Path keyFile) throws IOException, GeneralSecurityException {
        List<Certificate> chain = chain();
        PrivateKey secret;
        try {
            secret = PemKey.read(Files.readString(keyFile, StandardCharsets.ISO_8859_1), password.toCharArray());
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("api.tls.key: " + keyFile + ": " + e.getMessage(), e);
        }
        if (!fit(secret, chain.getFirst().getPublicKey())) {
            throw new IOException(
                    "api.tls: the key in " + keyFile + " is not that of the first certificate in " + certificates);
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, new char[0]);
        store.setKeyEntry("api", secret, new char[0], chain.toArray(new Certificate[0]));
        return store;
    }

    private List<Certificate> chain() throws IOException {
        try (InputStream in = Files.newInputStream(certificates)) {
            List<Certificate> chain =
                    new ArrayList<>(CertificateFactory.getInstance("X.509").generateCertificates(in));
            if (chain.isEmpty()) {
                throw new IOException("api.tls.certificate: " + certificates + " holds no PEM certificates");
            }
            return chain;
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    "api.tls.certificate: " + certificates + " holds no PEM certificates: " + e.getMessage(), e);
        }
    }

    /** Signs with the one and verifies with the other: clients would find out much later, with a worse message. */
    private static boolean fit(PrivateKey secret, PublicKey open) throws GeneralSecurityException {
        if (!sameFamily(secret.getAlgorithm(), open.getAlgorithm())) {
            return false;
        }
        Signature signature = Signature.getInstance(
                switch (secret.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> "EdDSA";
                });
        byte[] text = MessageDigest.getInstance("SHA-256").digest();
        signature.initSign(secret);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(open);
        signature.update(text);
        return signature.verify(signed);
    }

    private static boolean sameFamily(String secret, String open) {
        return secret.equals(open) || (secret.startsWith("Ed") && open.startsWith("Ed"));
    }
}
