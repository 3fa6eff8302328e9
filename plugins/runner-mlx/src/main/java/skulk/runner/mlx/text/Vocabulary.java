package skulk.runner.mlx.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.ObjIntConsumer;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * The tokens of a {@code tokenizer.json} as bytes, for logprobs and token masks. Immutable.
 *
 * <p>Ids that no token has (padding of the model's output layer) have no bytes.
 */
public final class Vocabulary {
    private static final byte[] NONE = {};

    private final byte[][] bytes;
    private final BitSet special;
    private final Map<String, Integer> added;

    private Vocabulary(byte[][] bytes, BitSet special, Map<String, Integer> added) {
        this.bytes = bytes;
        this.special = special;
        this.added = added;
    }

    /** @throws JsonException naming what is missing */
    public static Vocabulary of(JsonObject tokenizer) {
        JsonObject model =
                tokenizer.object("model").orElseThrow(() -> new JsonException("tokenizer.json has no 'model'", -1));
        ByteAlphabet alphabet =
                tokenizer.find("decoder").filter(Vocabulary::byteLevel).isPresent()
                        ? ByteAlphabet.BYTE_LEVEL
                        : ByteAlphabet.SENTENCE_PIECE;
        byte[][] bytes = new byte[0][];
        var table = new Object() {
            byte[][] rows = bytes;

            void put(int id, byte[] value) {
                if (id < 0 || id > 1 << 24) {
                    throw new JsonException("tokenizer.json has token id " + id, -1);
                }
                if (id >= rows.length) {
                    rows = Arrays.copyOf(rows, Math.max(id + 1, rows.length * 2));
                }
                rows[id] = value;
            }
        };
        forEachPiece(model, (piece, id) -> table.put(id, alphabet.bytes(piece)));
        BitSet special = new BitSet();
        Map<String, Integer> added = new HashMap<>();
        for (Json entry : tokenizer.array("added_tokens").orElseGet(JsonArray::of)) {
            if (entry instanceof JsonObject token) {
                int id = Math.toIntExact(token.integer("id")
                        .orElseThrow(() -> new JsonException("tokenizer.json: an added token has no 'id'", -1)));
                String content = token.string("content").orElse("");
                table.put(id, content.getBytes(StandardCharsets.UTF_8));
                added.put(content, id);
                special.set(id, token.bool("special").orElse(false));
            }
        }
        int size = table.rows.length;
        while (size > 0 && table.rows[size - 1] == null) {
            size--;
        }
        return new Vocabulary(Arrays.copyOf(table.rows, size), special, Map.copyOf(added));
    }

    private static boolean byteLevel(Json decoder) {
        if (!(decoder instanceof JsonObject object)) {
            return false;
        }
        if (object.string("type").filter("ByteLevel"::equals).isPresent()) {
            return true;
        }
        return object.array("decoders").stream()
                .flatMap(list -> list.items().stream())
                .anyMatch(Vocabulary::byteLevel);
    }

    /** BPE and WordPiece map pieces to ids; Unigram lists pieces with their scores. */
    private static void forEachPiece(JsonObject model, ObjIntConsumer<String> sink) {
        Json vocab =
                model.find("vocab").orElseThrow(() -> new JsonException("tokenizer.json has no 'model.vocab'", -1));
        if (vocab instanceof JsonObject map) {
            map.members().forEach((piece, id) -> {
                if (!(id instanceof JsonNumber number)) {
                    throw new JsonException("tokenizer.json: '" + piece + "' has no number", -1);
                }
                sink.accept(piece, Math.toIntExact(number.toLong()));
            });
        } else if (vocab instanceof JsonArray list) {
            for (int i = 0; i < list.size(); i++) {
                if (!(list.items().get(i) instanceof JsonArray pair)
                        || !(pair.items().getFirst() instanceof JsonString(String piece))) {
                    throw new JsonException(
                            "tokenizer.json: 'model.vocab[" + i + "]' is not a piece with its score", -1);
                }
                sink.accept(piece, i);
            }
        }
    }

    /** One more than the highest id. */
    public int size() {
        return bytes.length;
    }

    /**
     * The UTF-8 bytes of a token, not to be changed; none for ids without a token. A token may hold part of a code
     * point.
     */
    public byte[] bytes(int id) {
        return id >= 0 && id < bytes.length && bytes[id] != null ? bytes[id] : NONE;
    }

    /** The token as text, with replacement characters where it holds part of a code point. */
    public String text(int id) {
        return new String(bytes(id), StandardCharsets.UTF_8);
    }

    /** Whether a token is control, not text: left out of decoded output. */
    public boolean special(int id) {
        return special.get(id);
    }

    /** The ids of all special tokens by their text. */
    public Map<String, Integer> specialTokens() {
        Map<String, Integer> tokens = new HashMap<>();
        added.forEach((content, id) -> {
            if (special.get(id)) {
                tokens.put(content, id);
            }
        });
        return tokens;
    }

    /** The id of an added token such as {@code <|im_end|>}. */
    public Optional<Integer> added(String content) {
        return Optional.ofNullable(added.get(content));
    }
}
