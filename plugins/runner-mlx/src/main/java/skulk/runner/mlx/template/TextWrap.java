package skulk.runner.mlx.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Python's {@code textwrap.wrap} as the filter {@code wordwrap} uses it: tabs and white space stay as they are.
 *
 * @param width longest line
 * @param breakLong whether a longer word is cut
 * @param breakHyphens whether a line may end behind a hyphen
 */
record TextWrap(long width, boolean breakLong, boolean breakHyphens) {
    private static final String SPACE = "\\t\\n\\x0b\\f\\r ";
    private static final String PUNCTUATION = "[\\p{L}\\p{N}_!\"'&.,?]";
    private static final String LETTER = "[\\p{L}_]";

    /** {@code TextWrapper.wordsep_re}: white space; em dashes; words, which end at a hyphen between letters. */
    private static final Pattern CHUNK = Pattern.compile("[" + SPACE + "]+"
            + "|(?<=" + PUNCTUATION + ")-{2,}(?=[\\p{L}\\p{N}_])"
            + "|[^" + SPACE + "](?:"
            + "[^" + SPACE + "]*?(?:"
            + "-(?:(?<=" + LETTER + "{2}-)|(?<=" + LETTER + "-" + LETTER + "-))(?=" + LETTER + "-?" + LETTER + ")"
            + "|(?=[" + SPACE + "]|\\z)"
            + "|(?<=" + PUNCTUATION + ")(?=-{2,}[\\p{L}\\p{N}_])))");

    private static final Pattern PLAIN = Pattern.compile("[" + SPACE + "]+|[^" + SPACE + "]+");

    List<String> wrap(String text) {
        if (width <= 0) {
            throw Errors.value("invalid width " + width + " (must be > 0)");
        }
        Deque<String> chunks = new ArrayDeque<>();
        Matcher matcher = (breakHyphens ? CHUNK : PLAIN).matcher(text);
        while (matcher.find()) {
            chunks.add(matcher.group());
        }
        List<String> lines = new ArrayList<>();
        while (!chunks.isEmpty()) {
            if (!lines.isEmpty() && isSpace(chunks.peek())) {
                chunks.remove();
            }
            line(chunks, lines);
        }
        return lines;
    }

    private void line(Deque<String> chunks, List<String> lines) {
        List<String> line = new ArrayList<>();
        long length = 0;
        while (!chunks.isEmpty() && length + Str.length(chunks.peek()) <= width) {
            length += Str.length(chunks.peek());
            line.add(chunks.remove());
        }
        if (!chunks.isEmpty() && Str.length(chunks.peek()) > width) {
            longWord(chunks, line, length);
        }
        if (!line.isEmpty() && isSpace(line.getLast())) {
            line.removeLast();
        }
        if (!line.isEmpty()) {
            lines.add(String.join("", line));
        }
    }

    private void longWord(Deque<String> chunks, List<String> line, long length) {
        if (breakLong) {
            String chunk = chunks.remove();
            int end = (int) Math.max(1, width - length);
            if (breakHyphens && Str.length(chunk) > end) {
                int hyphen = Str.part(chunk, 0, end).lastIndexOf('-');
                if (hyphen > 0 && chunk.substring(0, hyphen).chars().anyMatch(c -> c != '-')) {
                    end = Str.length(chunk.substring(0, hyphen)) + 1;
                }
            }
            line.add(Str.part(chunk, 0, end));
            chunks.addFirst(Str.part(chunk, end, Str.length(chunk)));
        } else if (line.isEmpty()) {
            line.add(chunks.remove());
        }
    }

    private static boolean isSpace(String chunk) {
        return Str.isBlank(chunk, 0);
    }
}
