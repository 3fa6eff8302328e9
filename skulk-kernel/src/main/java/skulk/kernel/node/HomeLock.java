package skulk.kernel.node;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** Holds a home for one node; the operating system lets go of it however the process ends. */
public final class HomeLock implements AutoCloseable {
    private final FileChannel channel;

    private HomeLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws IOException where another node has the home, or the file cannot be made */
    public static HomeLock take(Home home) throws IOException {
        Path file = home.run().resolve("node.lock");
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new IOException("cannot write to " + file + ": " + e.getMessage(), e);
        }
        if (lock(channel).isEmpty()) {
            channel.close();
            throw new IOException(
                    "another node runs on the home " + home.data() + "; give this one a home of its own with --home");
        }
        return new HomeLock(channel);
    }

    private static Optional<FileLock> lock(FileChannel channel) throws IOException {
        try {
            return Optional.ofNullable(channel.tryLock());
        } catch (OverlappingFileLockException e) {
            return Optional.empty(); // a node of this very process
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
