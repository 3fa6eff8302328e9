package skulk.runner.mlx.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Ties processes to cores with {@code taskset}, so that ranks on one machine do not share what machines of a cluster have each. */
final class Cores {
    private Cores() {}

    /** Ties all threads of a process to one core. @throws IOException where there is no {@code taskset} or no such core */
    static void pin(long process, int core) throws IOException, InterruptedException {
        Process taskset = new ProcessBuilder("taskset", "-acp", Integer.toString(core), Long.toString(process))
                .redirectErrorStream(true)
                .start();
        String said = new String(taskset.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (taskset.waitFor() != 0) {
            throw new IOException("--pin: " + said.strip());
        }
    }
}
