package skulk.storage.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeTls;
import skulk.api.model.ByteRange;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

class StoreTransferTest extends StoreFixture {
    @Test
    void servesFilesInRangesAndNothingElse() throws IOException {
        complete(1000);
        Files.writeString(root.resolve("secret.txt"), "x");
        startBoth();
        String base = "/models/org%2Fmodel/";
        assertEquals(200, status(base + "model.safetensors"));
        assertEquals(206, status(base + "model.safetensors", "Range", "bytes=10-"));
        assertEquals(206, status(base + "model.safetensors", "Range", "bytes=-5"));
        assertEquals(416, status(base + "model.safetensors", "Range", "bytes=1000-"));
        assertEquals(400, status(base + "..%2F..%2Fsecret.txt"));
        assertEquals(400, status(base + "../../secret.txt"));
        assertEquals(400, status("/models/..%2F..%2Fetc/files"));
        assertEquals(404, status(base + ".skulk.json"));
        assertEquals(404, status(base + "none"));
        assertEquals(404, status("/models/org%2Fnone/files"));
        assertEquals(404, status("/elsewhere"));
        assertEquals(200, status("/models"));
        assertEquals(200, status("/downloads"));
    }

    @Test
    void onlyMembersOfTheClusterGetIn() throws Exception {
        byte[] bytes = complete(1000);
        cluster.secured(FakeTls.context(root));
        startBoth();
        ModelFile file = backend.find(MODEL).orElseThrow().files().getFirst();
        assertArrayEquals(bytes, read(backend.open(MODEL, file, new ByteRange(0, file.size()))));
        assertEquals(
                200, new FakeExchange().run(feature, "GET", "/store/registry").status());
        assertThrows(IOException.class, () -> status("/health"), "without TLS");
        for (SSLContext stranger : List.of(FakeTls.context(root), nobody())) {
            RemoteStore outside = new RemoteStore(
                    () -> "127.0.0.1:" + port,
                    CompletableFuture.completedFuture(Optional.of(stranger)),
                    Duration.ofSeconds(5));
            assertThrows(IOException.class, outside::health);
        }
    }

    /** Trusts everybody and has no certificate to show. */
    private static SSLContext nobody() throws Exception {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(null, new TrustManager[] {new TrustsAll()}, null);
        return context;
    }

    private static final class TrustsAll extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @Test
    void withoutEncryptionItListensOnLoopbackOnly() throws IOException {
        startBoth();
        assertEquals(200, status("/health"));
        InetAddress outside = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(a -> !a.isLoopbackAddress() && a instanceof Inet4Address)
                .findFirst()
                .orElse(null);
        Assumptions.assumeTrue(outside != null, "needs a network card");
        assertThrows(IOException.class, () -> new Socket(outside, port).close());
    }

    @Test
    void aClientReadsWhatTheHostLoadsInPlace() throws IOException {
        byte[] bytes = complete(40 << 20);
        startBoth();
        ModelManifest manifest = backend.find(MODEL).orElseThrow();
        assertEquals("r1", manifest.revision());
        assertEquals(List.of(weights(40 << 20)), manifest.files());
        byte[] rest = read(backend.open(
                MODEL,
                manifest.files().getFirst(),
                new ByteRange(3_000_000, manifest.files().getFirst().size())));
        assertArrayEquals(Arrays.copyOfRange(bytes, 3_000_000, bytes.length), rest);
        assertEquals(Optional.empty(), backend.local(MODEL));
        assertEquals(Optional.of(root.resolve("org--model")), hostBackend.local(MODEL));
        assertEquals(List.of(MODEL), hostBackend.models());
        assertEquals(Optional.empty(), backend.find(new ModelId("org/none")));
    }

    @Test
    void tellsTheDigestsOfBlocksOnceAFileIsWhole() throws Exception {
        byte[] bytes = complete(2 * StoreFolder.BLOCK + 5);
        startBoth();
        ModelFile file = backend.find(MODEL).orElseThrow().files().getFirst();
        byte[] digests = backend.copies().orElseThrow().digests(MODEL, file).orElseThrow();
        assertEquals(96, digests.length);
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        byte[] last = Arrays.copyOfRange(bytes, 2 * StoreFolder.BLOCK, bytes.length);
        assertArrayEquals(sha256.digest(last), Arrays.copyOfRange(digests, 64, 96));

        Files.move(folder().resolve("model.safetensors"), folder().resolve("model.safetensors.partial"));
        cluster.show(downloading(ongoing()));
        CompletableFuture<byte[]> reader = CompletableFuture.supplyAsync(() -> {
            try {
                return backend.copies().orElseThrow().digests(MODEL, file).orElseThrow();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        assertThrows(java.util.concurrent.TimeoutException.class, () -> reader.get(200, TimeUnit.MILLISECONDS));
        Files.move(folder().resolve("model.safetensors.partial"), folder().resolve("model.safetensors"));
        assertArrayEquals(digests, reader.get(10, TimeUnit.SECONDS));
    }

    @Test
    void foldersThatAnOperatorPutsThereCount() throws IOException {
        Files.writeString(folder().resolve("config.json"), "{}");
        startBoth();
        assertEquals(Optional.empty(), backend.find(MODEL));
        Files.writeString(folder().resolve("model.safetensors"), "123");
        assertEquals(2, backend.find(MODEL).orElseThrow().files().size());
    }

    @Test
    void sendsAFileWhileItIsStillBeingDownloaded() throws Exception {
        int block = StoreFolder.BLOCK;
        byte[] bytes = random(3 * block + 500);
        manifest(weights(bytes.length));
        Path partial = folder().resolve("model.safetensors.partial");
        Path journal = folder().resolve("model.safetensors.partial.blocks");
        Files.write(partial, Arrays.copyOf(bytes, block));
        Files.write(journal, ByteBuffer.allocate(36).position(32).putInt(0).array());
        cluster.show(downloading(ongoing()));
        startBoth();
        ModelFile file = backend.find(MODEL).orElseThrow().files().getFirst();
        CompletableFuture<byte[]> reader = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                reader.complete(read(backend.open(MODEL, file, new ByteRange(0, file.size()))));
            } catch (IOException e) {
                reader.completeExceptionally(e);
            }
        });
        for (int i = 1; i < 3; i++) {
            assertThrows(java.util.concurrent.TimeoutException.class, () -> reader.get(100, TimeUnit.MILLISECONDS));
            Files.write(partial, Arrays.copyOfRange(bytes, i * block, (i + 1) * block), StandardOpenOption.APPEND);
            Files.write(journal, ByteBuffer.allocate(4).putInt(i).array(), StandardOpenOption.APPEND);
        }
        Files.write(partial, Arrays.copyOfRange(bytes, 3 * block, bytes.length), StandardOpenOption.APPEND);
        Files.move(partial, folder().resolve("model.safetensors"));
        assertArrayEquals(bytes, reader.get(10, TimeUnit.SECONDS));
    }

    @Test
    void rangesFollowTheRules() {
        assertEquals(Optional.of(new FileSender.Span(0, 10)), FileSender.Span.of(Optional.empty(), 10));
        assertEquals(Optional.of(new FileSender.Span(2, 6)), FileSender.Span.of(Optional.of("bytes=2-5"), 10));
        assertEquals(Optional.of(new FileSender.Span(2, 10)), FileSender.Span.of(Optional.of("bytes=2-99"), 10));
        assertEquals(Optional.of(new FileSender.Span(7, 10)), FileSender.Span.of(Optional.of("bytes=-3"), 10));
        assertEquals(Optional.of(new FileSender.Span(0, 10)), FileSender.Span.of(Optional.of("bytes=-30"), 10));
        assertEquals(Optional.empty(), FileSender.Span.of(Optional.of("bytes=10-"), 10));
        assertEquals(Optional.empty(), FileSender.Span.of(Optional.of("bytes=5-2"), 10));
        assertEquals(Optional.of(new FileSender.Span(0, 10)), FileSender.Span.of(Optional.of("bytes=1-2,4-5"), 10));
    }
}
