package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much room there is. */
@FunctionalInterface
public interface DiskSpace {
    /** Bytes that this process may still write to the volume of a path, which need not exist yet. */
    long free(Path path) throws IOException;

    /** The real disk. */
    static DiskSpace real() {
        return path -> store(path).getUsableSpace();
    }

    /** The volume of a path or of its nearest existing parent. */
    static FileStore store(Path path) throws IOException {
        Path at = path.toAbsolutePath();
        while (!Files.exists(at)) {
            at = at.getParent();
        }
        return Files.getFileStore(at);
    }

    /** The failure of a write in words that help where it was for want of room: the path, what it needs and what is free; else the failure itself. */
    static IOException explained(IOException e, Path path, long need) throws IOException {
        return isFull(e)
                ? new IOException(
                        "no room at %s: %d bytes are needed, %d are free"
                                .formatted(path, need, Math.max(0, real().free(path))),
                        e)
                : e;
    }

    /** Whether a write failed for want of room; Java has no type of its own for that. */
    static boolean isFull(Throwable e) {
        for (Throwable at = e; at != null; at = at.getCause()) {
            String text = String.valueOf(at.getMessage());
            if (text.contains("No space left")
                    || text.contains("Disk quota exceeded")
                    || text.contains("not enough space")) {
                return true;
            }
        }
        return false;
    }
}
