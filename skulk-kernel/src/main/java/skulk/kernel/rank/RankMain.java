package skulk.kernel.rank;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;

/**
 * The program of a rank process. Arguments: the socket of the node that started it, and that node's process id. It lives no longer than that node.
 */
public final class RankMain {
    private RankMain() {}

    public static void main(String[] arguments) throws IOException {
        run(arguments, new RankPlugins());
    }

    /** @param source where runners and drafters come from */
    static void run(String[] arguments, Engines.Source source) throws IOException {
        // one line per record: the node adds when and who
        System.setProperty("java.util.logging.SimpleFormatter.format", "%4$s %3$s: %5$s%6$s%n");
        // the closed socket says so as well, but not to a process whose reader is stuck
        ProcessHandle.of(Long.parseLong(arguments[1]))
                .ifPresentOrElse(
                        node -> node.onExit().thenRun(() -> Runtime.getRuntime().halt(0)),
                        () -> Runtime.getRuntime().halt(0));
        HeapKeeper.start();
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(arguments[0]));
        new RankLoop(channel, source).run();
    }
}
