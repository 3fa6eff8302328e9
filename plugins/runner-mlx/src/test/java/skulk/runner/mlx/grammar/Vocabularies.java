package skulk.runner.mlx.grammar;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.text.Vocabulary;

/** Byte-level vocabularies made up for tests: all single bytes, JSON's usual clusters, random words. */
final class Vocabularies {
    static final int END = 0;

    private Vocabularies() {}

    static Vocabulary random(int size, long seed) {
        Random random = new Random(seed);
        Set<String> pieces = new LinkedHashSet<>();
        for (int b = 0; b < 256; b++) {
            pieces.add(Character.toString(byteCharacter(b)));
        }
        for (String cluster : List.of(
                "{\"", "\":", "\",", "\"}", "\"]", "\"},", "],", "},", "[{", "\":\"", "\\\"", "true", "false", "null",
                "\\u", "00", "12")) {
            pieces.add(cluster);
        }
        String letters = "etaoinshrdlucmfwypvbgkjqxzETAOIN0123456789-_.:/ĠĊ\"{}[],\\";
        while (pieces.size() < size - 1) {
            StringBuilder piece = new StringBuilder();
            for (int i = 1 + random.nextInt(6); i >= 0; i--) {
                piece.append(letters.charAt(random.nextInt(random.nextInt(8) == 0 ? letters.length() : 26)));
            }
            pieces.add(piece.toString());
        }
        JsonObject.Builder vocab = JsonObject.builder();
        int id = 1;
        for (String piece : pieces) {
            vocab.put(piece, id++);
        }
        return Vocabulary.of(JsonObject.builder()
                .put("model", JsonObject.of("vocab", vocab.build()))
                .put("decoder", JsonObject.of("type", "ByteLevel"))
                .put(
                        "added_tokens",
                        List.of(JsonObject.builder()
                                .put("id", END)
                                .put("content", "<|end|>")
                                .put("special", true)
                                .build()))
                .build());
    }

    /** GPT-2's printable stand-in of a byte. */
    private static char byteCharacter(int b) {
        boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
        if (printable) {
            return (char) b;
        }
        int rank = 0;
        for (int other = 0; other < b; other++) {
            if (!((other >= '!' && other <= '~')
                    || (other >= 0xA1 && other <= 0xAC)
                    || (other >= 0xAE && other <= 0xFF))) {
                rank++;
            }
        }
        return (char) (256 + rank);
    }
}
