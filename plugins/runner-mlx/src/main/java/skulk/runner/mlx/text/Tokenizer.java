package skulk.runner.mlx.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.CheckpointException;

/**
 * The tokenizer of a checkpoint folder: Hugging Face's own library, nothing truncated, nothing padded. Safe for use by
 * several threads.
 */
public final class Tokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer library;
    private final Vocabulary vocabulary;
    private final ReadWriteLock open = new ReentrantReadWriteLock();

    private Tokenizer(HuggingFaceTokenizer library, Vocabulary vocabulary) {
        this.library = library;
        this.vocabulary = vocabulary;
    }

    /**
     * Reads {@code tokenizer.json}.
     *
     * @throws CheckpointException naming the file where it is missing or not a tokenizer
     */
    public static Tokenizer load(Path folder) {
        Path file = folder.resolve("tokenizer.json");
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(file + " is missing; only the tokenizer.json format is supported");
        }
        stayOffline();
        try {
            if (!(Json.parse(Files.readAllBytes(file)) instanceof JsonObject json)) {
                throw new CheckpointException(file + " is not a JSON object");
            }
            Vocabulary vocabulary = Vocabulary.of(json);
            // the library truncates at 512 tokens unless told not to
            Map<String, String> options = Map.of("truncation", "false", "padding", "false");
            return new Tokenizer(HuggingFaceTokenizer.newInstance(file, options), vocabulary);
        } catch (IOException | JsonException | ArithmeticException e) {
            throw new CheckpointException(file + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            throw e instanceof CheckpointException
                    ? e
                    : new CheckpointException(file + " is not a tokenizer: " + e.getMessage(), e);
        }
    }

    /**
     * The library reads these when its first class loads: no look-ups in the network, and a cache folder that is
     * writable anywhere.
     */
    private static void stayOffline() {
        setIfAbsent("ai.djl.offline", "true");
        setIfAbsent("OPT_OUT_TRACKING", "true");
        if (System.getenv("DJL_CACHE_DIR") == null) {
            Path cache = Path.of(
                    System.getProperty("java.io.tmpdir"), "skulk-tokenizers-" + System.getProperty("user.name"));
            setIfAbsent("DJL_CACHE_DIR", cache.toString());
        }
    }

    private static void setIfAbsent(String key, String value) {
        if (System.getProperty(key) == null) {
            System.setProperty(key, value);
        }
    }

    /**
     * The tokens of a text; special tokens written in it are parsed.
     *
     * @param addSpecial whether the tokenizer adds what it adds around plain text, such as bos
     */
    public int[] encode(String text, boolean addSpecial) {
        long[] ids = use(() -> library.encode(text, addSpecial, false).getIds());
        int[] tokens = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            tokens[i] = Math.toIntExact(ids[i]);
        }
        return tokens;
    }

    /** The text of all tokens, special ones included; ids without a token are left out. */
    public String decode(int... tokens) {
        return decode(tokens, 0, tokens.length);
    }

    /** The text of {@code tokens[from..to)}, see {@link #decode(int...)}. */
    String decode(int[] tokens, int from, int to) {
        if (from == to) {
            return "";
        }
        long[] ids = new long[to - from];
        for (int i = from; i < to; i++) {
            ids[i - from] = tokens[i];
        }
        return use(() -> library.decode(ids, false));
    }

    public Vocabulary vocabulary() {
        return vocabulary;
    }

    /** The id of a token by its text, where it is one token. */
    public Optional<Integer> id(String token) {
        return vocabulary.added(token).or(() -> {
            int[] ids = encode(token, false);
            return ids.length == 1 ? Optional.of(ids[0]) : Optional.empty();
        });
    }

    /** The library frees its memory at close, whoever uses it then. */
    private <T> T use(Supplier<T> call) {
        open.readLock().lock();
        try {
            return call.get();
        } finally {
            open.readLock().unlock();
        }
    }

    @Override
    public void close() {
        open.writeLock().lock();
        try {
            library.close();
        } finally {
            open.writeLock().unlock();
        }
    }
}
