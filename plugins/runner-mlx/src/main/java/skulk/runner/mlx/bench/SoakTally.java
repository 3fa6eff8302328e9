package skulk.runner.mlx.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.json.JsonObject;

/** What became of the requests of a soak. Safe for use by several threads. */
final class SoakTally {
    private static final double SILENCE_MILLIS = 1000;
    private static final int MOST_TIMES = 200_000;

    private final List<Double> firstMillis = new ArrayList<>();
    private final List<Double> longestGaps = new ArrayList<>();
    private long answered;
    private long tokens;
    private long cancelled;
    private long busy;
    private long failed;
    private long silent;
    private Optional<String> firstError = Optional.empty();

    synchronized void answered(ChatClient.Answer answer) {
        answered++;
        tokens += answer.tokens();
        double longest =
                answer.gaps().stream().mapToDouble(Double::doubleValue).max().orElse(0);
        silent += longest > SILENCE_MILLIS ? 1 : 0;
        if (longestGaps.size() < MOST_TIMES) {
            firstMillis.add(answer.firstMillis());
            longestGaps.add(longest);
        }
    }

    synchronized void cancelled() {
        cancelled++;
    }

    synchronized void busy() {
        busy++;
    }

    synchronized void failed(String error) {
        failed++;
        firstError = firstError.or(() -> Optional.of(error));
    }

    synchronized String line() {
        return "%d answered, %d cancelled, %d refused, %d failed".formatted(answered, cancelled, busy, failed);
    }

    /** Adds the counts and times to a result. */
    synchronized JsonObject.Builder result(JsonObject.Builder out) {
        out.put("answered", answered)
                .put("tokens", tokens)
                .put("cancelled", cancelled)
                .put("refused_429", busy)
                .put("failed", failed)
                .put("silent_over_a_second", silent)
                .put("first_token_ms", Sample.of(firstMillis).percentiles())
                .put("longest_silence_ms", Sample.of(longestGaps).percentiles());
        firstError.ifPresent(error -> out.put("first_error", error));
        return out;
    }
}
