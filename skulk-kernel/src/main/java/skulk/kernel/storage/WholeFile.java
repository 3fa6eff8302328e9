package skulk.kernel.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Small files that are replaced in one piece: whoever reads one finds the old or the new, also after a crash. */
public final class WholeFile {
    /** What the new one is called until it is complete. */
    static final String NEXT = ".next";

    private WholeFile() {}

    /** Writes a text; its folder is made where there is none. One writer at a time. */
    public static void write(Path file, String text) throws IOException {
        Path target = file.toAbsolutePath();
        Path next = target.resolveSibling(target.getFileName() + NEXT);
        Files.createDirectories(target.getParent());
        try {
            Files.writeString(next, text);
            Files.move(next, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
    }
}
