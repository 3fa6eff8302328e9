package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** A file system of a few megabytes in memory, where this process may mount one; else the test is skipped. */
public final class SmallDisk implements AutoCloseable {
    private final Path root;

    private SmallDisk(Path root) {
        this.root = root;
    }

    public static SmallDisk mount(Path at, int megabytes) throws IOException {
        Files.createDirectories(at);
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "tmpfs", at.toString()),
                "needs the right to mount a file system");
        return new SmallDisk(at);
    }

    public Path root() {
        return root;
    }

    /** Leaves this many bytes free. */
    public Path fill(long leave) throws IOException {
        Path filler = root.resolve("filler");
        Files.write(filler, new byte[Math.toIntExact(free() - leave)]);
        return filler;
    }

    long free() throws IOException {
        return Files.getFileStore(root).getUsableSpace();
    }

    private static boolean run(String... command) {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false; // no such program here
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        run("umount", "-l", root.toString());
    }
}
