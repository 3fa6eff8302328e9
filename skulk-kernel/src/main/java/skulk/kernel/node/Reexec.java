package skulk.kernel.node;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Replaces this process by a new run of its own command line, in place: same process id, same terminal, same service manager. POSIX {@code execv}; what the
 * old image held open is marked to be closed by it, or the new node would find its own port taken.
 */
public final class Reexec {
    private static final int F_SETFD = 2; // fcntl.h, the same on Linux and macOS
    private static final int FD_CLOEXEC = 1;

    private Reexec() {}

    /** Returns only by throwing. @throws IOException where the system does not allow it */
    @SuppressWarnings("checkstyle:IllegalCatch") // what a method handle declares
    public static void run() throws IOException {
        List<String> command = command();
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            closeOnExec(linker);
            MemorySegment arguments = arena.allocate(ADDRESS, command.size() + 1L);
            for (int i = 0; i < command.size(); i++) {
                arguments.setAtIndex(ADDRESS, i, arena.allocateFrom(command.get(i)));
            }
            MethodHandle execv = linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("execv"), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
            int result = (int) execv.invokeExact(arena.allocateFrom(command.getFirst()), arguments);
            throw new IOException("execv of " + command.getFirst() + " answered " + result);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException("cannot replace the process: " + e, e);
        }
    }

    private static void closeOnExec(Linker linker) throws Throwable {
        MethodHandle fcntl = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("fcntl"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
                Linker.Option.firstVariadicArg(2));
        List<Integer> open = new ArrayList<>();
        Path directory = Files.isDirectory(Path.of("/proc/self/fd")) ? Path.of("/proc/self/fd") : Path.of("/dev/fd");
        try (Stream<Path> entries = Files.list(directory)) {
            entries.forEach(
                    entry -> open.add(Integer.parseInt(entry.getFileName().toString())));
        }
        for (int descriptor : open) {
            if (descriptor > 2) {
                int ignored =
                        (int) fcntl.invokeExact(descriptor, F_SETFD, FD_CLOEXEC); // gone already: nothing to close
            }
        }
    }

    private static List<String> command() throws IOException {
        Path arguments = Path.of("/proc/self/cmdline");
        ProcessHandle.Info info = ProcessHandle.current().info();
        String java = info.command().orElseThrow(() -> new IOException("the system does not tell this program's path"));
        List<String> command = new ArrayList<>(List.of(java));
        if (Files.isReadable(arguments)) { // ProcessHandle cuts long lines off
            String[] all = new String(Files.readAllBytes(arguments), StandardCharsets.UTF_8).split("\0");
            command.addAll(Arrays.asList(all).subList(1, all.length));
        } else {
            command.addAll(List.of(info.arguments()
                    .orElseThrow(() -> new IOException("the system does not tell this program's arguments"))));
        }
        return command;
    }
}
