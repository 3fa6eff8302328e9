package skulk.kernel.telemetry;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import skulk.api.cluster.EngineSpeed;
import skulk.api.json.Json;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNull;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.kernel.storage.WholeFile;

/**
 * The engine's speed on this machine: measured by a process of its own, and kept in a file for the next starts. Nodes of one machine measure one after the other. What
 * was kept for longer than a day is measured again, and the better numbers count: other work can only have made them worse.
 *
 * @param command that measures and prints the speed as JSON, see {@code MeasureMain}
 * @param kept file of the last speed
 * @param of what it depends on: processor, threads, engine
 */
public record EngineGauge(List<String> command, Path kept, String of) {
    private static final System.Logger LOG = System.getLogger(EngineGauge.class.getName());
    private static final Duration FRESH = Duration.ofDays(1);
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    public EngineGauge {
        command = List.copyOf(command);
    }

    /** What the file holds. */
    private record Kept(Instant at, EngineSpeed speed) {}

    /** The speed that was kept, whatever its age. */
    Optional<EngineSpeed> known() {
        return read().map(Kept::speed);
    }

    /** Whether it is worth measuring. */
    boolean stale() {
        return read().map(k -> k.at().plus(FRESH).isBefore(Instant.now())).orElse(true);
    }

    private Optional<Kept> read() {
        try {
            JsonObject file = (JsonObject) Json.parse(Files.readString(kept));
            if (!file.string("of").equals(Optional.of(of))) {
                return Optional.empty();
            }
            Instant at = Instant.parse(file.string("at").orElseThrow(() -> new JsonException("no time", -1)));
            JsonObject speed = file.object("speed").orElseThrow(() -> new JsonException("no speed", -1));
            return Optional.of(new Kept(at, Records.fromJson(speed, EngineSpeed.class)));
        } catch (IOException | JsonException | ClassCastException | DateTimeParseException e) {
            LOG.log(System.Logger.Level.DEBUG, "no speed is kept in {0}: {1}", kept, e.getMessage());
            return Optional.empty();
        }
    }

    /** Measures, and keeps what comes of it. @return empty where no engine tells */
    Optional<EngineSpeed> measure() throws IOException, InterruptedException {
        Optional<EngineSpeed> now = alone();
        if (now.isPresent()) {
            EngineSpeed best = known().map(before -> better(before, now.get())).orElse(now.get());
            JsonObject file = JsonObject.builder()
                    .put("of", of)
                    .put("at", Instant.now().toString())
                    .put("speed", Records.toJson(best))
                    .build();
            WholeFile.write(kept, file.toString());
            return Optional.of(best);
        }
        return now;
    }

    static EngineSpeed better(EngineSpeed a, EngineSpeed b) {
        List<EngineSpeed.Format> formats = new ArrayList<>();
        for (EngineSpeed.Format mine : b.formats()) {
            EngineSpeed.Format other = a.nearest(mine.bits(), mine.dense());
            boolean same = other.bits() == mine.bits() && other.dense() == mine.dense();
            formats.add(
                    same
                            ? new EngineSpeed.Format(
                                    mine.bits(),
                                    mine.dense(),
                                    Math.max(mine.decodeRate(), other.decodeRate()),
                                    Math.max(mine.promptRate(), other.promptRate()))
                            : mine);
        }
        // what a layer takes beside its weights was told apart by the rate of the same run
        EngineSpeed faster = rate(a) > rate(b) ? a : b;
        return new EngineSpeed(formats, faster.layerSeconds(), Math.max(a.attentionRate(), b.attentionRate()));
    }

    private static double rate(EngineSpeed speed) {
        return speed.formats().getFirst().decodeRate();
    }

    private Optional<EngineSpeed> alone() throws IOException, InterruptedException {
        try (var _ = MachineLock.take()) {
            return run();
        }
    }

    private Optional<EngineSpeed> run() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            process.getOutputStream().close();
            var ended = process.onExit().orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            ended.whenComplete((p, late) -> {
                if (late != null) {
                    process.destroyForcibly();
                }
            });
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            int code = process.waitFor();
            if (code != 0) {
                throw new IOException("the process that measures ended with " + code);
            }
            Json json = Json.parse(said);
            return json instanceof JsonNull ? Optional.empty() : Optional.of(Records.fromJson(json, EngineSpeed.class));
        } catch (JsonException e) {
            throw new IOException("the process that measures said something else: " + e.getMessage(), e);
        } finally {
            process.destroyForcibly();
        }
    }
}
