package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The API of a packaged node over TLS, with the two forms in which certificates come: a keystore, and a pair of PEM files. */
class TlsIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String PASSWORD = "not a secret";

    @TempDir
    private Path home;

    private Path keystore() throws Exception {
        Path file = home.resolve("api.p12");
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process process = new ProcessBuilder(List.of(
                        keytool,
                        "-genkeypair",
                        "-alias",
                        "api",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-validity",
                        "2",
                        "-ext",
                        "SAN=dns:localhost,ip:127.0.0.1",
                        "-storepass",
                        PASSWORD,
                        "-keystore",
                        file.toString()))
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return file;
    }

    private static KeyStore read(Path keystore) throws Exception {
        return KeyStore.getInstance(keystore.toFile(), PASSWORD.toCharArray());
    }

    private Path pem(String name, String kind, byte[] bytes) throws Exception {
        String body = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(bytes);
        return Files.writeString(
                home.resolve(name), "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n");
    }

    private static HttpClient trusting(Path keystore) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("api", read(keystore).getCertificate("api"));
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(context).build();
    }

    private static HttpResponse<String> post(HttpClient client, SkulkProcess node, String path, String body)
            throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(node.url() + path))
                .timeout(ServingNode.PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private SkulkProcess start(String tls) throws Exception {
        Files.writeString(home.resolve("skulk.yaml"), "api: { tls: { " + tls + " } }\n");
        SkulkProcess node = SkulkProcess.serve(home);
        assertTrue(node.url().startsWith("https://"), node.url());
        return node;
    }

    private static String asking(String more) {
        return """
                {"model":"%s","temperature":0%s,"messages":[{"role":"user","content":"What is the capital of France?"}]}""".formatted(ServingNode.TINY, more);
    }

    @Test
    void takesAKeystore() throws Exception {
        Path keystore = keystore();
        try (SkulkProcess node = start("keystore: \"%s\", password: \"%s\"".formatted(keystore, PASSWORD));
                HttpClient client = trusting(keystore)) {
            HttpResponse<String> answer = post(client, node, "/v1/messages", asking(",\"max_tokens\":9"));
            assertEquals(HttpClient.Version.HTTP_2, answer.version(), "by ALPN");
            assertEquals(404, answer.statusCode());
            assertTrue(answer.body().contains("No instance found for model " + ServingNode.TINY), answer.body());
        }
    }

    /** The embedded model answers, as a stream over HTTP/2. */
    @Test
    void takesAPairOfPemFiles() throws Exception {
        Path keystore = keystore();
        Path certificate = pem(
                "certificate.pem",
                "CERTIFICATE",
                read(keystore).getCertificate("api").getEncoded());
        Path key = pem(
                "key.pem",
                "PRIVATE KEY",
                read(keystore).getKey("api", PASSWORD.toCharArray()).getEncoded());
        try (SkulkProcess node = start("certificate: \"%s\", key: \"%s\"".formatted(certificate, key));
                HttpClient client = trusting(keystore)) {
            String place = "{\"model_id\":\"" + ServingNode.TINY + "\"}";
            assertEquals(200, post(client, node, "/place_instance", place).statusCode());
            await().atMost(ServingNode.PATIENCE)
                    .until(() -> post(client, node, CHAT, asking("")).statusCode() == 200);
            HttpResponse<String> answer = post(client, node, CHAT, asking(",\"stream\":true"));
            assertEquals(HttpClient.Version.HTTP_2, answer.version(), "by ALPN");
            assertEquals("The capital of France is Paris.", ChatIT.content(answer.body()));
        }
    }
}
