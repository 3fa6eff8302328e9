package skulk.kernel;

import java.io.PrintStream;

/** Where commands print; everything else logs. */
@SuppressWarnings("checkstyle:RegexpSinglelineJava")
final class Terminal {
    private Terminal() {}

    static PrintStream out() {
        return System.out;
    }

    static PrintStream err() {
        return System.err;
    }
}
