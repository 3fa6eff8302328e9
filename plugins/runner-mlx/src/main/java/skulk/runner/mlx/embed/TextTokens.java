package skulk.runner.mlx.embed;

import java.util.Arrays;
import java.util.Locale;
import skulk.api.problem.Problem;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.text.Tokenizer;

/** Turns texts into tokens within the model's limit, special tokens around them. Safe for use by several threads. */
final class TextTokens {
    /** Any text that surely has a token of its own; shows what the tokenizer puts around it. */
    private static final String PROBE = "a";

    private final Tokenizer tokenizer;
    private final SentenceFiles files;
    private final int vocab;
    private final int maxTokens;
    private final int[] prefix;
    private final int[] suffix;

    /**
     * @param vocab rows of the embedding table
     * @throws CheckpointException where the tokenizer does not fit the limit
     */
    TextTokens(Tokenizer tokenizer, SentenceFiles files, int vocab, int maxTokens) {
        this.tokenizer = tokenizer;
        this.files = files;
        this.vocab = vocab;
        this.maxTokens = maxTokens;
        int[] plain = tokenizer.encode(PROBE, false);
        int[] whole = tokenizer.encode(PROBE, true);
        int start = find(plain, whole);
        this.prefix = Arrays.copyOf(whole, start);
        this.suffix = Arrays.copyOfRange(whole, start + plain.length, whole.length);
        if (prefix.length + suffix.length >= maxTokens) {
            throw new CheckpointException("tokenizer.json: adds " + (prefix.length + suffix.length)
                    + " tokens to every text, the model takes " + maxTokens);
        }
    }

    private static int find(int[] part, int[] whole) {
        for (int at = 0; at + part.length <= whole.length; at++) {
            if (Arrays.equals(part, 0, part.length, whole, at, at + part.length)) {
                return at;
            }
        }
        throw new CheckpointException("tokenizer.json: special tokens do not stand around the text");
    }

    int maxTokens() {
        return maxTokens;
    }

    /**
     * The tokens of a text.
     *
     * @param index which text of its request, for messages
     * @param truncate cut the text's end off where it is too long
     * @throws SkulkException where it is too long and may not be cut, or has no tokens
     */
    int[] of(String text, int index, boolean truncate) {
        int[] content = tokenizer.encode(prepared(text), false);
        int total = prefix.length + content.length + suffix.length;
        if (total > maxTokens && !truncate) {
            throw new SkulkException(Problem.of(
                    Kind.USER_ERROR,
                    "context_length_exceeded",
                    "input[" + index + "] has " + total + " tokens, the model takes " + maxTokens));
        }
        if (total == 0) {
            throw new SkulkException(Kind.USER_ERROR, "input[" + index + "] has no tokens");
        }
        int length = Math.min(total, maxTokens);
        int kept = length - prefix.length - suffix.length;
        int[] out = Arrays.copyOf(prefix, length);
        System.arraycopy(content, 0, out, prefix.length, kept);
        System.arraycopy(suffix, 0, out, prefix.length + kept, suffix.length);
        for (int token : out) {
            if (token < 0 || token >= vocab) {
                throw new SkulkException(
                        Kind.INTERNAL, "the tokenizer gives token " + token + ", the model has " + vocab);
            }
        }
        return out;
    }

    private String prepared(String text) {
        String whole = files.prompt() + text;
        return files.lowerCase() ? whole.toLowerCase(Locale.ROOT) : whole;
    }
}
