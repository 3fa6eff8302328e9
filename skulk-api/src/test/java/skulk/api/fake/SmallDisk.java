package skulk.api.fake;

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
                Commands.succeeds("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "tmpfs", at.toString()),
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

    public long free() throws IOException {
        return Files.getFileStore(root).getUsableSpace();
    }

    /** Gives it another size. */
    public void resize(int megabytes) throws IOException {
        if (!Commands.succeeds("mount", "-o", "remount,size=" + megabytes + "m", root.toString())) {
            throw new IOException("cannot resize " + root);
        }
    }

    @Override
    public void close() {
        Commands.succeeds("umount", "-l", root.toString());
    }
}
