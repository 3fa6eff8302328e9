package skulk.runner.mlx.text;

import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * Turns tokens into text as they come, never ending inside a code point.
 *
 * <p>Decoding single tokens is wrong: a code point may span tokens, and decoders look at neighbours (leading spaces).
 * So a short window is decoded with and without the new tokens and the difference is shown, once it does not end in a
 * replacement character. The window holds the tokens of the last two differences, so the cost of a token does not
 * depend on the length of the text. One thread.
 */
public final class Detokenizer {
    /**
     * A code point has at most four bytes, so a replacement character that outlives this many tokens is the model's
     * own.
     */
    private static final int MOST_HELD = 8;

    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    private final IntPredicate visible;
    private int[] window = new int[2 * MOST_HELD];
    private int size;
    private int shownTokens;
    private String shownText = "";

    /**
     * @param visible the special tokens to show, such as the markup that a parser looks for; all others are left out
     */
    public Detokenizer(Tokenizer tokenizer, IntPredicate visible) {
        this.tokenizer = tokenizer;
        this.visible = visible;
    }

    /** Starts after a text whose last tokens decide how the first new one is spaced. */
    public void follow(int[] tokens) {
        for (int token : Arrays.copyOfRange(tokens, Math.max(0, tokens.length - 4), tokens.length)) {
            append(token);
        }
        shownTokens = size;
        shownText = tokenizer.decode(window, 0, size);
    }

    /** The text that this token completes; empty while it could not be shown yet. */
    public String push(int token) {
        if (tokenizer.vocabulary().special(token) && !visible.test(token)) {
            return "";
        }
        append(token);
        String text = tokenizer.decode(window, 0, size);
        boolean open =
                text.isEmpty() || text.length() <= shownText.length() || text.charAt(text.length() - 1) == REPLACEMENT;
        if (open && size - shownTokens < MOST_HELD) {
            return "";
        }
        String fresh = text.length() > shownText.length() ? text.substring(shownText.length()) : "";
        System.arraycopy(window, shownTokens, window, 0, size - shownTokens);
        size -= shownTokens;
        shownTokens = size;
        shownText = tokenizer.decode(window, 0, size);
        return fresh;
    }

    /** What is left at the end, without the bytes of a code point that never became whole. */
    public String finish() {
        String text = tokenizer.decode(window, 0, size);
        int end = text.length();
        while (end > shownText.length() && text.charAt(end - 1) == REPLACEMENT) {
            end--;
        }
        return end > shownText.length() ? text.substring(shownText.length(), end) : "";
    }

    private void append(int token) {
        if (size == window.length) {
            window = Arrays.copyOf(window, size * 2);
        }
        window[size++] = token;
    }
}
