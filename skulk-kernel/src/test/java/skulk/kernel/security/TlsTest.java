package skulk.kernel.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.AlgorithmParameters;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.Json;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonString;
import skulk.kernel.config.Key;
import skulk.kernel.config.Keys;

/** TLS from files, with certificates that the JDK's keytool makes. */
class TlsTest {
    private static final String PASSWORD = "of the test";

    @TempDir
    Path home;

    private Path keystore(String name, String algorithm) throws Exception {
        Path file = home.resolve(name + ".p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "api",
                "-keyalg",
                algorithm,
                "-dname",
                "CN=" + name,
                "-validity",
                "2",
                "-ext",
                "SAN=dns:localhost,ip:127.0.0.1",
                "-storepass",
                PASSWORD,
                "-keystore",
                file.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), said);
        return file;
    }

    private static KeyStore read(Path keystore) throws Exception {
        return KeyStore.getInstance(keystore.toFile(), PASSWORD.toCharArray());
    }

    private static String pem(String kind, byte[] bytes) {
        String body = Base64.getMimeEncoder(64, "\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                .encodeToString(bytes);
        return "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n";
    }

    /** Writes the key pair of a keystore as PEM files. */
    private TlsFiles pemFiles(Path keystore) throws Exception {
        Path certificate = home.resolve("certificate.pem");
        Path key = home.resolve("key.pem");
        Files.writeString(
                certificate,
                pem("CERTIFICATE", read(keystore).getCertificate("api").getEncoded()));
        Files.writeString(
                key,
                pem(
                        "PRIVATE KEY",
                        read(keystore).getKey("api", PASSWORD.toCharArray()).getEncoded()));
        return new TlsFiles(certificate, Optional.of(key), "");
    }

    private static HttpClient trusting(Certificate certificate) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("api", certificate);
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return HttpClient.newBuilder()
                .sslContext(context)
                .connectTimeout(Duration.ofSeconds(5))
                .build();
    }

    private static HttpResponse<String> get(Served served, Certificate certificate) throws Exception {
        try (HttpClient client = trusting(certificate)) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(served.server.url() + "/a"))
                    .timeout(Duration.ofSeconds(5))
                    .build();
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        }
    }

    private static Map<Key<?>, Json> configured(TlsFiles files) {
        return Map.of(
                Keys.API_TLS_CERTIFICATE, new JsonString(files.certificates().toString()),
                Keys.API_TLS_KEY, new JsonString(files.key().orElseThrow().toString()),
                Keys.API_BODY_TIMEOUT, JsonNumber.of(0.5));
    }

    @Test
    void speaksHttp2OverTlsAndReadsARenewedCertificate() throws Exception {
        Path first = keystore("first", "RSA");
        Path second = keystore("second", "EC");
        TlsFiles files = pemFiles(first);
        try (Served served = new Served(home, configured(files), Served.hello())) {
            HttpResponse<String> response = get(served, read(first).getCertificate("api"));
            assertEquals("hello", response.body());
            assertEquals(HttpClient.Version.HTTP_2, response.version(), "by ALPN");
            plainTextFails(served);
            silenceIsCut(served);
            assertEquals("hello", get(served, read(first).getCertificate("api")).body(), "neither did harm");
            pemFiles(second);
            Files.setLastModifiedTime(
                    files.certificates(), FileTime.from(java.time.Instant.now().plusSeconds(60)));
            Certificate renewed = read(second).getCertificate("api");
            org.awaitility.Awaitility.await()
                    .atMost(Duration.ofSeconds(10))
                    .ignoreExceptions()
                    .until(() -> get(served, renewed).body().equals("hello"));
        }
    }

    private static void plainTextFails(Served served) throws IOException {
        long begin = System.nanoTime();
        try {
            String answer = served.raw("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertFalse(answer.contains("HTTP/"), answer);
        } catch (java.net.SocketException e) {
            // reset, since nobody read the rest
        }
        assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(3));
    }

    private static void silenceIsCut(Served served) throws IOException {
        long begin = System.nanoTime();
        try (Socket socket = new Socket("127.0.0.1", served.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(new byte[] {22, 3, 1}); // the beginning of a handshake
            try {
                assertEquals(-1, socket.getInputStream().read());
            } catch (java.net.SocketException e) {
                // reset, which is an end too
            }
        }
        assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(5));
    }

    @Test
    void takesKeystores() throws Exception {
        Path file = keystore("store", "EC");
        Map<Key<?>, Json> configured = Map.of(
                Keys.API_TLS_KEYSTORE,
                new JsonString(file.toString()),
                Keys.API_TLS_PASSWORD,
                new JsonString(PASSWORD));
        try (Served served = new Served(home, configured, Served.hello())) {
            assertEquals("hello", get(served, read(file).getCertificate("api")).body());
        }
        TlsFiles wrong = new TlsFiles(file, Optional.empty(), "not it");
        assertTrue(assertThrows(IOException.class, wrong::load)
                .getMessage()
                .toLowerCase(java.util.Locale.ROOT)
                .contains("password"));
    }

    @Test
    void keepsTheOldCertificateWhereTheNewOneDoesNotFit() throws Exception {
        TlsFiles files = pemFiles(keystore("old", "EC"));
        AtomicLong now = new AtomicLong();
        ReloadingKeys keys = new ReloadingKeys(files, now::get);
        String old = keys.chooseEngineServerAlias("EC", null, null);
        X509Certificate before = keys.getCertificateChain(old)[0];
        Files.writeString(files.certificates(), "half a file");
        Files.setLastModifiedTime(files.certificates(), FileTime.fromMillis(1));
        now.addAndGet(TimeUnit.SECONDS.toNanos(3));
        assertEquals(old, keys.chooseEngineServerAlias("EC", null, null));
        pemFiles(keystore("new", "EC"));
        Files.setLastModifiedTime(files.certificates(), FileTime.fromMillis(2));
        now.addAndGet(TimeUnit.SECONDS.toNanos(3));
        String fresh = keys.chooseEngineServerAlias("EC", null, null);
        assertNotEquals(before, keys.getCertificateChain(fresh)[0]);
        assertEquals(before, keys.getCertificateChain(old)[0], "a handshake that began with the old one ends with it");
    }

    @Test
    void readsTheFormsOfKeysThatOpensslWrites() throws Exception {
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(2048);
        PrivateKey key = rsa.generateKeyPair().getPrivate();
        assertEquals(key, PemKey.read(pem("PRIVATE KEY", key.getEncoded()), new char[0]));
        byte[] pkcs1 = Arrays.copyOfRange(key.getEncoded(), 26, key.getEncoded().length);
        assertEquals(key, PemKey.read(pem("RSA PRIVATE KEY", pkcs1), new char[0]));

        KeyPairGenerator ec = KeyPairGenerator.getInstance("EC");
        ec.initialize(new ECGenParameterSpec("secp256r1"));
        ECPrivateKey curve = (ECPrivateKey) ec.generateKeyPair().getPrivate();
        String scalar = "%064x".formatted(new BigInteger(1, curve.getS().toByteArray()));
        byte[] sec1 = HexFormat.of().parseHex("3031" + "020101" + "0420" + scalar + "a00a" + "06082a8648ce3d030107");
        String text = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                + pem("EC PRIVATE KEY", sec1);
        assertEquals(curve.getS(), ((ECPrivateKey) PemKey.read(text, new char[0])).getS());

        String scheme = "PBEWithHmacSHA256AndAES_256";
        Cipher cipher = Cipher.getInstance(scheme);
        cipher.init(
                Cipher.ENCRYPT_MODE,
                SecretKeyFactory.getInstance(scheme).generateSecret(new PBEKeySpec(PASSWORD.toCharArray())));
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("PBES2");
        parameters.init(cipher.getParameters().getEncoded());
        byte[] encrypted = new EncryptedPrivateKeyInfo(parameters, cipher.doFinal(key.getEncoded())).getEncoded();
        String locked = pem("ENCRYPTED PRIVATE KEY", encrypted);
        assertEquals(key, PemKey.read(locked, PASSWORD.toCharArray()));
        assertTrue(failure(locked, "").contains("api.tls.password"));
        assertTrue(failure(locked, "wrong").contains("api.tls.password"));
        assertTrue(failure("nothing", "").contains("no private key"));
        assertTrue(failure("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "")
                .contains("no key of"));
    }

    private static String failure(String pem, String password) {
        return assertThrows(
                        java.security.GeneralSecurityException.class, () -> PemKey.read(pem, password.toCharArray()))
                .getMessage();
    }

    @Test
    void namesWhatDoesNotFit() throws Exception {
        TlsFiles one = pemFiles(keystore("one", "EC"));
        String certificate = Files.readString(one.certificates());
        pemFiles(keystore("two", "EC"));
        Files.writeString(one.certificates(), certificate);
        assertTrue(assertThrows(IOException.class, one::load)
                .getMessage()
                .contains("is not that of the first certificate"));
        TlsFiles absent = new TlsFiles(home.resolve("absent.pem"), one.key(), "");
        assertTrue(assertThrows(IOException.class, absent::load).getMessage().contains("absent.pem"));
    }
}
