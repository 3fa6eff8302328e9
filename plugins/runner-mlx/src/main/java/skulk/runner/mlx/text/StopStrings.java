package skulk.runner.mlx.text;

import java.util.List;
import java.util.Optional;

/**
 * Ends a text at the first stop string, however the text is cut into pieces. Text is held back exactly as long as it
 * could still become a stop string. One thread.
 */
final class StopStrings {
    private final List<String> stops;
    private final MarkerScanner scanner;
    private Optional<String> found = Optional.empty();

    /** @param stops empty strings are ignored */
    StopStrings(List<String> stops) {
        this.stops = stops.stream().filter(stop -> !stop.isEmpty()).toList();
        this.scanner = new MarkerScanner(this.stops);
    }

    /** The part of the text that may be shown now. After a stop string, nothing. */
    String push(CharSequence text) {
        if (stops.isEmpty()) {
            return text.toString();
        }
        StringBuilder free = new StringBuilder();
        for (int i = 0; i < text.length() && found.isEmpty(); i++) {
            int stop = scanner.accept(text.charAt(i), free);
            if (stop != MarkerScanner.NONE) {
                found = Optional.of(stops.get(stop));
            }
        }
        return free.toString();
    }

    /** What was held back and did not become a stop string. */
    String finish() {
        StringBuilder rest = new StringBuilder();
        scanner.drain(rest);
        return rest.toString();
    }

    Optional<String> found() {
        return found;
    }
}
