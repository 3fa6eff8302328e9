package skulk.runner.mlx.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import skulk.runner.mlx.runner.Shared;

class DetokenizerTest {
    private static final String[] ALPHABET = {
        "a",
        "the ",
        " ",
        "  ",
        "\n",
        "é",
        "ß",
        "漢字",
        "😀",
        "👩‍👩‍👧",
        "नमस्ते",
        "<",
        "|",
        "\u200b",
        "ﷺ",
        "0",
        "12",
        "\t",
        "𝄞",
        "\uFFFD"
    };

    @ParameterizedTest
    @ValueSource(strings = {"models/skulk-tiny", "models/stories260K"})
    void piecesJoinToTheWholeAndNeverBreakACodePoint(String model) {
        try (Tokenizer tokenizer = Tokenizer.load(Shared.folder(model))) {
            int[] before = tokenizer.encode("Hi", true);
            Random random = new Random(1);
            for (int round = 0; round < 200; round++) {
                StringBuilder text = new StringBuilder("x");
                for (int i = random.nextInt(30); i >= 0; i--) {
                    text.append(ALPHABET[random.nextInt(ALPHABET.length)]);
                }
                int[] tokens = tokenizer.encode(text.toString(), false);
                String expected = tokenizer
                        .decode(concat(before, tokens))
                        .substring(tokenizer.decode(before).length());
                Detokenizer detokenizer = new Detokenizer(tokenizer, token -> false);
                detokenizer.follow(before);
                StringBuilder joined = new StringBuilder();
                for (int token : tokens) {
                    String piece = detokenizer.push(token);
                    joined.append(piece);
                    assertFalse(!piece.isEmpty() && Character.isHighSurrogate(piece.charAt(piece.length() - 1)), piece);
                }
                joined.append(detokenizer.finish());
                // a replacement character at the very end cannot be told from half a code point
                assertEquals(
                        expected.replaceAll("\uFFFD+$", ""), joined.toString().replaceAll("\uFFFD+$", ""));
            }
        }
    }

    @Test
    void halfACodePointAtTheEndIsDropped() {
        try (Tokenizer tokenizer = Tokenizer.load(Shared.folder("models/skulk-tiny"))) {
            int[] tokens = tokenizer.encode("a😀", false);
            Detokenizer detokenizer = new Detokenizer(tokenizer, token -> false);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < tokens.length - 1; i++) {
                text.append(detokenizer.push(tokens[i]));
            }
            assertEquals("a", text + detokenizer.finish());
        }
    }

    @Test
    void bytesOfTokensAreTheText() {
        for (String model : new String[] {"models/skulk-tiny", "models/stories260K"}) {
            try (Tokenizer tokenizer = Tokenizer.load(Shared.folder(model))) {
                String text = "Once é 漢 😀\n";
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                for (int token : tokenizer.encode(text, false)) {
                    bytes.writeBytes(tokenizer.vocabulary().bytes(token));
                }
                // SentencePiece writes the space before the first word
                assertEquals(text, bytes.toString(StandardCharsets.UTF_8).stripLeading());
            }
        }
    }

    @Test
    void longTextsAreNotTruncated() {
        try (Tokenizer tokenizer = Tokenizer.load(Shared.folder("models/skulk-tiny"))) {
            assertEquals(20_000, tokenizer.encode("7".repeat(20_000), false).length);
        }
    }

    @Test
    void specialTokensAreParsedAndBosIsAddedOnRequest() {
        try (Tokenizer tokenizer = Tokenizer.load(Shared.folder("models/skulk-tiny"))) {
            assertArrayEquals(new int[] {0, 2}, tokenizer.encode("<|im_end|>", true));
            assertArrayEquals(new int[] {2}, tokenizer.encode("<|im_end|>", false));
        }
    }

    private static int[] concat(int[] a, int[] b) {
        int[] all = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, all, a.length, b.length);
        return all;
    }
}
