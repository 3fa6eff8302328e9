package skulk.kernel.storage;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ByteRange;
import skulk.api.model.FilePart;
import skulk.api.model.ModelFile;
import skulk.api.model.ModelId;
import skulk.api.model.ModelManifest;

/**
 * Hands out this node's staged copies to other members: offers and digests over the cluster's channel, the bytes over connections of their own, so that a
 * model on its way never delays what nodes tell each other. These connections are secured as the cluster's are, or stay on loopback. A node that nobody asks
 * opens no port. Safe for use by several threads.
 *
 * <p>A connection carries one request, its length in 4 bytes, an HMAC of 32, then {@code {"model","path","start","end"}}; the answer is these bytes and the end.
 */
public final class PeerServer implements AutoCloseable {
    /** Topic that asks for a copy of a model; the answer is an offer or null. */
    public static final String OFFER = "copy";
    /** Topic that asks for the digests of a file's blocks; the answer is text or null. */
    public static final String DIGESTS = "copy-digests";

    private static final System.Logger LOG = System.getLogger(PeerServer.class.getName());
    private static final int PROOF = 32;
    private static final int LONGEST = 64 << 10;
    private static final int PATIENCE_MILLIS = 10_000;
    private static final int BACKLOG = 50;
    private static final int BUFFER = 1 << 20;

    private final Path root;
    private final Supplier<List<String>> addresses;
    private final CompletableFuture<Optional<SSLContext>> tls;
    private final byte[] key = new byte[32];
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private Optional<ServerSocket> server = Optional.empty();

    /**
     * @param settings say where the copies are
     * @param addresses of this node, best first
     * @param tls of the cluster, complete once this node has joined; before that it offers nothing
     */
    public PeerServer(
            StorageSettings settings, Supplier<List<String>> addresses, CompletableFuture<Optional<SSLContext>> tls) {
        this.root = settings.staging();
        this.addresses = addresses;
        this.tls = tls;
        new SecureRandom().nextBytes(key);
    }

    /** Answers {@link #OFFER}: what is here of a model and was verified. */
    public Json offer(Json body) {
        ModelId model = new ModelId(((JsonObject) body).string("model").orElse(""));
        ModelFolder folder = ModelFolder.of(root, model);
        Optional<ModelManifest> manifest = folder.manifest();
        if (manifest.isEmpty() || !tls.isDone()) {
            return Json.NULL;
        }
        Optional<ShardNotes> notes = ShardNotes.of(folder);
        List<FilePart> parts = manifest.get().files().stream()
                .map(file -> part(folder, file, notes))
                .filter(part -> part.bytes() > 0
                        || folder.path().resolve(part.path()).toFile().isFile())
                .toList();
        try {
            return parts.isEmpty() || !(folder.complete() || notes.isPresent())
                    ? Json.NULL
                    : new PeerOffer(manifest.get(), parts, reachable(), listen(), key).toJson();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot hand out copies to other nodes", e);
            return Json.NULL;
        }
    }

    private static FilePart part(ModelFolder folder, ModelFile file, Optional<ShardNotes> notes) {
        if (folder.holds(file)) {
            return new FilePart(file.path(), List.of(new ByteRange(0, file.size())));
        }
        BitSet blocks = notes.map(n -> n.blocks(file)).orElseGet(BitSet::new);
        blocks.and(BlockJournal.read(folder.blocks(file), file.size()));
        return new FilePart(file.path(), BlockJournal.ranges(blocks, file.size()));
    }

    /** Answers {@link #DIGESTS}. */
    public Json digests(Json body) {
        JsonObject asked = (JsonObject) body;
        ModelFolder folder =
                ModelFolder.of(root, new ModelId(asked.string("model").orElse("")));
        Optional<ModelFile> file = file(folder, asked.string("path").orElse("")).filter(folder::holds);
        if (file.isEmpty()) {
            return Json.NULL;
        }
        try {
            return new JsonString(Base64.getEncoder().encodeToString(Digests.blocks(folder.file(file.get()))));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot read " + folder.file(file.get()), e);
            return Json.NULL;
        }
    }

    private static Optional<ModelFile> file(ModelFolder folder, String path) {
        return folder.manifest().stream()
                .flatMap(m -> m.files().stream())
                .filter(f -> f.path().equals(path))
                .findFirst();
    }

    private synchronized int listen() throws IOException {
        if (server.isEmpty()) {
            ServerSocket socket = socket();
            server = Optional.of(socket);
            Thread.ofVirtual().name("peer-files").start(() -> accept(socket));
        }
        return server.get().getLocalPort();
    }

    private List<String> reachable() {
        return tls.join().isPresent()
                ? addresses.get()
                : List.of(InetAddress.getLoopbackAddress().getHostAddress());
    }

    private ServerSocket socket() throws IOException {
        Optional<SSLContext> secured = tls.join();
        if (secured.isEmpty()) {
            return new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        }
        SSLServerSocket socket =
                (SSLServerSocket) secured.get().getServerSocketFactory().createServerSocket(0, BACKLOG);
        socket.setNeedClientAuth(true);
        return socket;
    }

    private void accept(ServerSocket socket) {
        while (!socket.isClosed()) {
            try {
                Socket reader = socket.accept();
                threads.execute(() -> serve(reader));
            } catch (IOException e) {
                LOG.log(System.Logger.Level.DEBUG, "no more readers", e);
            }
        }
    }

    private void serve(Socket reader) {
        try (reader) {
            reader.setSoTimeout(PATIENCE_MILLIS);
            DataInputStream in = new DataInputStream(reader.getInputStream());
            int length = in.readInt();
            if (length < PROOF || length > LONGEST) {
                throw new IOException("a request of %d bytes".formatted(length));
            }
            byte[] message = in.readNBytes(length);
            byte[] text = Arrays.copyOfRange(message, PROOF, message.length);
            if (message.length < length
                    || !MessageDigest.isEqual(PeerOffer.proof(text, key), Arrays.copyOf(message, PROOF))) {
                throw new IOException("a request from somebody who does not know the key");
            }
            send((JsonObject) Json.parse(text), new BufferedOutputStream(reader.getOutputStream(), BUFFER));
        } catch (IOException | JsonException | IllegalArgumentException | ClassCastException e) {
            LOG.log(System.Logger.Level.DEBUG, "a reader of a staged copy was not served", e);
        }
    }

    private void send(JsonObject asked, OutputStream out) throws IOException {
        ModelFolder folder =
                ModelFolder.of(root, new ModelId(asked.string("model").orElse("")));
        String path = asked.string("path").orElse("");
        ModelFile file = file(folder, path).orElseThrow(() -> new IOException("no file " + path));
        long start = asked.integer("start").orElse(0L);
        long end = asked.integer("end").orElse(0L);
        if (!part(folder, file, ShardNotes.of(folder)).covers(start, end)) {
            throw new IOException("bytes %d to %d of %s are not here".formatted(start, end, path));
        }
        Path here = folder.holds(file) ? folder.file(file) : folder.partial(file);
        try (FileChannel channel = FileChannel.open(here)) {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
            for (long at = start; at < end; at += buffer.position()) {
                buffer.clear().limit((int) Math.min(BUFFER, end - at));
                if (channel.read(buffer, at) < 0) {
                    throw new EOFException(here + " became shorter");
                }
                out.write(buffer.array(), 0, buffer.position());
            }
            out.flush();
        }
    }

    @Override
    public synchronized void close() {
        try {
            if (server.isPresent()) {
                server.get().close();
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "closing", e);
        }
        threads.shutdownNow();
    }
}
