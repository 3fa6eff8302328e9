package skulk.runner.mlx.text;

import java.util.List;
import java.util.Optional;

/**
 * Ends a text at the first stop string, however the text is cut into pieces. Text is held back exactly as long as it could still become a stop string. One
 * thread.
 */
final class StopStrings {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private String found = "";

    /** @param stops empty strings are ignored */
    StopStrings(List<String> stops) {
        this.stops = stops.stream().filter(stop -> !stop.isEmpty()).toList();
    }

    /** The part of the text that may be shown now. After a stop string, nothing. */
    String push(CharSequence text) {
        if (stops.isEmpty()) {
            return text.toString();
        }
        StringBuilder free = new StringBuilder();
        for (int i = 0; i < text.length() && found.isEmpty(); i++) {
            held.append(text.charAt(i));
            Optional<String> stop = complete();
            if (stop.isPresent()) {
                found = stop.get();
                free.append(held, 0, held.length() - found.length());
                held.setLength(0);
            } else {
                release(free);
            }
        }
        return free.toString();
    }

    /** What was held back and did not become a stop string. */
    String finish() {
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }

    Optional<String> found() {
        return found.isEmpty() ? Optional.empty() : Optional.of(found);
    }

    /** The longest stop string that ends here. */
    private Optional<String> complete() {
        String best = "";
        for (String stop : stops) {
            int from = held.length() - stop.length();
            if (stop.length() > best.length() && from >= 0 && held.indexOf(stop, from) == from) {
                best = stop;
            }
        }
        return best.isEmpty() ? Optional.empty() : Optional.of(best);
    }

    private void release(StringBuilder free) {
        int keep = 0;
        for (String stop : stops) {
            keep = Math.max(keep, overlap(held, stop));
        }
        free.append(held, 0, held.length() - keep);
        held.delete(0, held.length() - keep);
    }

    /** Length of the longest end of {@code text} that is a beginning of {@code word}, but not all of it. */
    static int overlap(CharSequence text, String word) {
        for (int n = Math.min(text.length(), word.length() - 1); n > 0; n--) {
            boolean equal = true;
            for (int i = 0; i < n && equal; i++) {
                equal = text.charAt(text.length() - n + i) == word.charAt(i);
            }
            if (equal) {
                return n;
            }
        }
        return 0;
    }
}
