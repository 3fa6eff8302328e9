package skulk.runner.mlx.template;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** Strings as Python sees them: sequences of code points. */
final class Str {
    private Str() {}

    /** The text of a string value, or null for any other value. */
    static String of(Object value) {
        return value instanceof String text ? text : value instanceof Markup safe ? safe.text() : null;
    }

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** Whether positions in chars and in code points are the same. */
    static boolean simple(String text) {
        return length(text) == text.length();
    }

    /** The char position of a code point position within the text. */
    static int offset(String text, int codePoints) {
        return text.offsetByCodePoints(0, codePoints);
    }

    /** The part between two code point positions, both already within the text. */
    static String part(String text, int from, int to) {
        if (from >= to) {
            return "";
        }
        int start = offset(text, from);
        return text.substring(start, text.offsetByCodePoints(start, to - from));
    }

    static Iterator<Object> characters(String text) {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < text.length();
            }

            @Override
            public Object next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                int end = text.offsetByCodePoints(next, 1);
                String character = text.substring(next, end);
                next = end;
                return character;
            }
        };
    }

    /** Python orders strings by code point, Java by UTF-16 unit. */
    static int compare(String left, String right) {
        int shared = Math.min(left.length(), right.length());
        for (int i = 0; i < shared; i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a != b) {
                // Half of a pair stands for a code point above every single unit.
                int pairs = Boolean.compare(Character.isSurrogate(a), Character.isSurrogate(b));
                return pairs != 0 ? pairs : Character.compare(a, b);
            }
        }
        return Integer.compare(left.length(), right.length());
    }

    /** {@code str.isspace} of one character; also what {@code \s} matches. */
    static boolean isSpace(int c) {
        if (c <= 0x20) {
            return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
        }
        return c == 0x85 || c == 0xa0 || c == 0x202f || Character.isWhitespace(c) || Character.isSpaceChar(c);
    }

    static boolean isBlank(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            if (!isSpace(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    static String stripLeft(String text) {
        int start = 0;
        while (start < text.length() && isSpace(text.charAt(start))) {
            start++;
        }
        return text.substring(start);
    }

    static String stripRight(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    /** Whether the character ends a line for {@code str.splitlines}. */
    static boolean isLineEnd(char c) {
        return (c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    static boolean isTitle(int c) {
        return Character.getType(c) == Character.TITLECASE_LETTER;
    }

    static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || isTitle(c);
    }
}
