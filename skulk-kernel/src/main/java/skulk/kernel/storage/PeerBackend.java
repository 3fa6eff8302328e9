package skulk.kernel.storage;

import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import skulk.api.CopySource;
import skulk.api.RangeChannel;
import skulk.api.StorageBackend;
import skulk.api.cluster.NodeId;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/** Copies that other members have staged, whole ones and the shares of ranks, as a source: asked after the store and before the hub. */
public final class PeerBackend implements StorageBackend, CopySource {
    /** Its name among the backends. */
    public static final String NAME = "peers";

    private static final int CONNECT_MILLIS = 2_000;
    private static final int READ_MILLIS = 20_000;
    private static final int BUFFER = 256 << 10;

    private final BiFunction<String, Json, Map<NodeId, Json>> askOthers;
    private final CompletableFuture<Optional<SSLContext>> tls;
    private final Map<ModelId, List<PeerOffer>> offers = new ConcurrentHashMap<>();

    /**
     * @param askOthers asks all other members a question of {@link PeerServer} and answers what came in time
     * @param tls of the cluster, complete once this node has joined
     */
    public PeerBackend(
            BiFunction<String, Json, Map<NodeId, Json>> askOthers, CompletableFuture<Optional<SSLContext>> tls) {
        this.askOthers = askOthers;
        this.tls = tls;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Optional<ModelManifest> find(ModelId model) throws IOException {
        List<PeerOffer> told = new ArrayList<>();
        for (Json answer : askOthers
                .apply(PeerServer.OFFER, JsonObject.of("model", model.value()))
                .values()) {
            try {
                if (answer instanceof JsonObject offer) {
                    told.add(PeerOffer.of(offer));
                }
            } catch (JsonException | IllegalArgumentException e) {
                throw new IOException("a node's offer of %s is malformed: %s".formatted(model, e.getMessage()), e);
            }
        }
        // copies of different states do not mix: the one of which most is there is taken
        Optional<ModelManifest> best = told.stream()
                .max(Comparator.comparingLong(
                        o -> o.parts().stream().mapToLong(FilePart::bytes).sum()))
                .map(PeerOffer::manifest);
        offers.put(
                model,
                told.stream()
                        .filter(o -> ShardNotes.sameState(o.manifest(), best.get()))
                        .toList());
        return best.map(m -> new ModelManifest(model, m.revision(), NAME, m.files()));
    }

    @Override
    public Optional<CopySource> copies() {
        return Optional.of(this);
    }

    @Override
    public FilePart available(ModelId model, ModelFile file) {
        return new FilePart(
                file.path(),
                offers.getOrDefault(model, List.of()).stream()
                        .flatMap(offer -> offer.part(file.path()).ranges().stream())
                        .toList());
    }

    @Override
    public Optional<byte[]> digests(ModelId model, ModelFile file) throws IOException {
        Json question = JsonObject.builder()
                .put("model", model.value())
                .put("path", file.path())
                .build();
        boolean whole = offers.getOrDefault(model, List.of()).stream()
                .anyMatch(o -> o.part(file.path()).covers(0, file.size()));
        return whole
                ? askOthers.apply(PeerServer.DIGESTS, question).values().stream()
                        .filter(JsonString.class::isInstance)
                        .map(answer -> Base64.getDecoder().decode(((JsonString) answer).value()))
                        .findFirst()
                : Optional.empty();
    }

    /** Others stage what their own ranks need. */
    @Override
    public boolean fetch(ModelManifest manifest) {
        return false;
    }

    @Override
    public ReadableByteChannel open(ModelId model, ModelFile file, ByteRange range) {
        return new Reader(model, file, range);
    }

    /** Reads from one member as far as its part goes, then from the next; a member that fails is not asked again until the next {@link #find}. */
    private final class Reader extends RangeChannel {
        private final ModelId model;
        private final ModelFile file;
        private Optional<PeerOffer> asked = Optional.empty();

        Reader(ModelId model, ModelFile file, ByteRange range) {
            super(file, range, BUFFER);
            this.model = model;
            this.file = file;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            try {
                return super.read(target);
            } catch (IOException e) {
                if (isOpen()) {
                    asked.ifPresent(this::forget);
                }
                throw e;
            }
        }

        private void forget(PeerOffer failed) {
            offers.computeIfPresent(
                    model, (m, known) -> known.stream().filter(o -> o != failed).toList());
        }

        @Override
        protected Answer request(long from, long to) throws IOException {
            asked = Optional.empty();
            PeerOffer offer = offers.getOrDefault(model, List.of()).stream()
                    .filter(o -> o.part(file.path()).covers(from, from + 1))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no node has byte %d of %s".formatted(from, file.path())));
            asked = Optional.of(offer);
            long end = offer.part(file.path()).ranges().stream()
                    .filter(r -> r.start() <= from && from < r.end())
                    .mapToLong(r -> Math.min(r.end(), to))
                    .findFirst()
                    .orElseThrow();
            byte[] message = PeerOffer.signed(
                    JsonObject.builder()
                            .put("model", model.value())
                            .put("path", file.path())
                            .put("start", from)
                            .put("end", end)
                            .build(),
                    offer.key());
            Socket socket = connect(offer);
            try {
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                out.writeInt(message.length);
                out.write(message);
                out.flush();
                return new Answer(socket.getInputStream(), end, complete -> socket.close());
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        }

        @Override
        protected IOException cutOff(long at, long end) {
            return new IOException("a node ended %s at byte %d of %d".formatted(file.path(), at, end));
        }

        private Socket connect(PeerOffer offer) throws IOException {
            IOException failure = new IOException("a node offers a copy without an address");
            for (String address : offer.addresses()) {
                Socket socket = new Socket();
                try {
                    socket.setSoTimeout(READ_MILLIS);
                    socket.connect(new InetSocketAddress(address, offer.port()), CONNECT_MILLIS);
                    return secured(socket);
                } catch (IOException e) {
                    socket.close();
                    failure = new IOException("%s:%d: %s".formatted(address, offer.port(), e.getMessage()), e);
                }
            }
            throw failure;
        }

        private Socket secured(Socket plain) throws IOException {
            Optional<SSLContext> cluster = tls.join();
            if (cluster.isEmpty()) {
                return plain;
            }
            SSLSocket socket = (SSLSocket) cluster.get()
                    .getSocketFactory()
                    .createSocket(plain, plain.getInetAddress().getHostAddress(), plain.getPort(), true);
            socket.startHandshake();
            return socket;
        }
    }
}
