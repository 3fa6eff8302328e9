package skulk.runner.mlx.text;

import java.util.List;

/**
 * Finds markers in a text that comes character by character. Text is held back exactly as long as it could still become
 * a marker. One thread.
 */
final class MarkerScanner {
    /** No marker ends here. */
    static final int NONE = -1;

    private final List<String> markers;
    private final StringBuilder held = new StringBuilder();

    /** @param markers not empty strings */
    MarkerScanner(List<String> markers) {
        this.markers = markers;
    }

    /**
     * Takes one character and appends to {@code free} what cannot be part of a marker any more.
     *
     * @return the index of the longest marker that ends here, or {@link #NONE}
     */
    int accept(char c, StringBuilder free) {
        held.append(c);
        int found = complete();
        int keep = 0;
        if (found != NONE) {
            free.append(held, 0, held.length() - markers.get(found).length());
            held.setLength(0);
            return found;
        }
        for (String marker : markers) {
            keep = Math.max(keep, overlap(held, marker));
        }
        free.append(held, 0, held.length() - keep);
        held.delete(0, held.length() - keep);
        return NONE;
    }

    /** Gives out what is held back. */
    void drain(StringBuilder free) {
        free.append(held);
        held.setLength(0);
    }

    private int complete() {
        int best = NONE;
        for (int i = 0; i < markers.size(); i++) {
            String marker = markers.get(i);
            int from = held.length() - marker.length();
            boolean longer = best == NONE || marker.length() > markers.get(best).length();
            if (longer && from >= 0 && held.indexOf(marker, from) == from) {
                best = i;
            }
        }
        return best;
    }

    /** Length of the longest end of {@code text} that is a beginning of {@code marker}. */
    private static int overlap(CharSequence text, String marker) {
        for (int n = Math.min(text.length(), marker.length() - 1); n > 0; n--) {
            boolean equal = true;
            for (int i = 0; i < n && equal; i++) {
                equal = text.charAt(text.length() - n + i) == marker.charAt(i);
            }
            if (equal) {
                return n;
            }
        }
        return 0;
    }
}
