package skulk.distribution;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a Java process of this machine holds: the levels that a leak raises. Linux only.
 *
 * @param threads of the operating system
 * @param files open descriptors, sockets among them
 * @param virtualThreads that have not ended
 * @param heapKb used after a full collection
 */
record ProcessLevels(int threads, int files, int virtualThreads, long heapKb) {
    private static final Pattern USED = Pattern.compile("used (\\d+)K");

    static ProcessLevels of(long pid, Path scratch) throws IOException, InterruptedException {
        jcmd(pid, "GC.run");
        long heap = USED.matcher(jcmd(pid, "GC.heap_info").split("Metaspace")[0])
                .results()
                .mapToLong(generation -> Long.parseLong(generation.group(1)))
                .sum();
        Path dump = scratch.resolve("threads-" + pid + ".json");
        Files.deleteIfExists(dump);
        jcmd(pid, "Thread.dump_to_file", "-format=json", dump.toString());
        int virtual = Files.readString(dump).split("\"virtual\": true", -1).length - 1;
        return new ProcessLevels(
                count("/proc/%d/task".formatted(pid)), count("/proc/%d/fd".formatted(pid)), virtual, heap);
    }

    private static int count(String folder) throws IOException {
        try (Stream<Path> entries = Files.list(Path.of(folder))) {
            return (int) entries.count();
        }
    }

    private static String jcmd(long pid, String... words) throws IOException, InterruptedException {
        List<String> command = Stream.concat(
                        Stream.of(
                                Path.of(System.getProperty("java.home"), "bin/jcmd")
                                        .toString(),
                                Long.toString(pid)),
                        Stream.of(words))
                .toList();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + ": " + said);
        }
        return said;
    }
}
