package skulk.kernel.operation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** This node's processes: itself and its children, no others. */
final class Processes {
    private Processes() {}

    static List<Json> list() {
        ProcessHandle self = ProcessHandle.current();
        List<Json> found = new ArrayList<>();
        found.add(process(self, "skulk"));
        self.children().forEach(child -> found.add(process(child, "runner")));
        return found;
    }

    private static JsonObject process(ProcessHandle process, String role) {
        Optional<Instant> start = process.info().startInstant();
        double elapsed = start.map(s -> Duration.between(s, Instant.now()).toMillis() / 1e3)
                .orElse(0.0);
        double cpu =
                process.info().totalCpuDuration().map(d -> d.toMillis() / 1e3).orElse(0.0);
        return JsonObject.builder()
                .put("pid", process.pid())
                .put("parentPid", process.parent().map(ProcessHandle::pid))
                .put("role", role)
                .put("command", process.info().command().orElse(""))
                .put("status", process.isAlive() ? "running" : "ended")
                .put("cpuPercent", elapsed > 0 ? Math.round(1000 * cpu / elapsed) / 10.0 : 0)
                .put("memoryPercent", Optional.empty())
                .put("rss", rss(process.pid()))
                .put("elapsedSeconds", elapsed)
                .put("isChildOfSkulk", !process.equals(ProcessHandle.current()))
                .build();
    }

    private static Optional<Long> rss(long pid) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Optional.of(Long.parseLong(line.replaceAll("\\D", "")) * 1024);
                }
            }
        } catch (IOException e) {
            return Optional.empty(); // not Linux, or gone
        }
        return Optional.empty();
    }

    /** Stacks of this process, and the CPU time that the others use meanwhile. */
    static List<Json> sample(Optional<Long> rank, double seconds) {
        List<ProcessHandle> watched = new ArrayList<>(List.of(ProcessHandle.current()));
        rank.flatMap(ProcessHandle::of).ifPresent(watched::add);
        Map<Long, Duration> before = new java.util.HashMap<>();
        watched.forEach(p -> before.put(p.pid(), p.info().totalCpuDuration().orElse(Duration.ZERO)));
        try {
            Thread.sleep(Duration.ofMillis((long) (1000 * Math.clamp(seconds, 0.1, 10)))); // the sample's length
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<Json> samples = new ArrayList<>();
        for (ProcessHandle process : watched) {
            Duration used =
                    process.info().totalCpuDuration().orElse(Duration.ZERO).minus(before.get(process.pid()));
            samples.add(JsonObject.builder()
                    .put("pid", process.pid())
                    .put("seconds", seconds)
                    .put("cpuSeconds", used.toMillis() / 1e3)
                    .put("stacks", process.equals(ProcessHandle.current()) ? stacks() : List.of())
                    .build());
        }
        return samples;
    }

    private static List<String> stacks() {
        List<String> stacks = new ArrayList<>();
        Thread.getAllStackTraces().forEach((thread, frames) -> {
            StringBuilder text = new StringBuilder(thread.getName())
                    .append(" (")
                    .append(thread.getState())
                    .append(')');
            for (StackTraceElement frame : frames) {
                text.append("\n  at ").append(frame);
            }
            stacks.add(text.toString());
        });
        return stacks;
    }
}
