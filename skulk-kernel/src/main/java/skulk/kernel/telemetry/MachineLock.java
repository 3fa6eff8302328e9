package skulk.kernel.telemetry;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** Held while a node measures its machine, so that several nodes of one machine do not measure each other. Where that cannot be told, a node measures at once. */
final class MachineLock implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(MachineLock.class.getName());
    private final Optional<FileChannel> held;

    private MachineLock(Optional<FileChannel> held) {
        this.held = held;
    }

    /** Waits until no other node measures. */
    static MachineLock take() throws InterruptedException {
        Path file = Path.of(System.getProperty("java.io.tmpdir"), "skulk-measuring.lock");
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            MachineLock lock = new MachineLock(Optional.of(channel));
            try {
                channel.lock();
                return lock;
            } catch (IOException | OverlappingFileLockException e) {
                lock.close();
                throw e;
            }
        } catch (FileLockInterruptionException | ClosedByInterruptException e) {
            throw new InterruptedException("interrupted while another node measures");
        } catch (IOException | OverlappingFileLockException e) { // another user's file, or a node in this process
            LOG.log(System.Logger.Level.DEBUG, "measuring beside others: {0}", e.toString());
            return new MachineLock(Optional.empty());
        }
    }

    @Override
    public void close() {
        held.ifPresent(channel -> {
            try {
                channel.close();
            } catch (IOException e) {
                LOG.log(System.Logger.Level.DEBUG, "the lock on measuring is not closed: {0}", e.getMessage());
            }
        });
    }
}
