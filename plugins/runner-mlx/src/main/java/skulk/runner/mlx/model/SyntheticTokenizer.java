package skulk.runner.mlx.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import skulk.api.json.JsonObject;

/**
 * The text side of a {@link SyntheticCheckpoint}, so that a node can serve it: one token per byte, the rest of the vocabulary words that no text is made of. A
 * prompt has as many tokens as its text has bytes, and one per message.
 */
final class SyntheticTokenizer {
    private static final int BYTES = 256;
    private static final String END = "<|end|>";
    /** GPT-2's first stand-in for a byte that has no printable character. */
    private static final int STAND_INS = 256;

    private SyntheticTokenizer() {}

    static void write(Path folder, int vocab) throws IOException {
        Map<String, Integer> words = new LinkedHashMap<>();
        byteCharacters().forEach(c -> words.put(c, words.size()));
        words.put(END, BYTES);
        for (int id = BYTES + 1; id < vocab; id++) {
            words.put("w" + id + "\u0120", id);
        }
        Map<String, Object> bytes =
                Map.of("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", true, "use_regex", false);
        JsonObject end = JsonObject.builder()
                .put("id", BYTES)
                .put("content", END)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true)
                .build();
        JsonObject tokenizer = JsonObject.builder()
                .put("version", "1.0")
                .put("added_tokens", List.of(end))
                .put("pre_tokenizer", bytes)
                .put("decoder", bytes)
                .put("model", Map.of("type", "BPE", "vocab", words, "merges", List.of()))
                .build();
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
        JsonObject config = JsonObject.builder()
                .put("tokenizer_class", "PreTrainedTokenizerFast")
                .put("eos_token", END)
                .put("chat_template", "{% for message in messages %}{{ message.content }}\n{% endfor %}")
                .build();
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toPrettyString());
    }

    /** GPT-2's printable character of each byte. */
    private static List<String> byteCharacters() {
        List<String> characters = new ArrayList<>();
        int standIn = STAND_INS;
        for (int b = 0; b < BYTES; b++) {
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            characters.add(String.valueOf((char) (printable ? b : standIn++)));
        }
        return characters;
    }
}
