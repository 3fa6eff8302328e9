package skulk.kernel.rank;

import java.util.Map;
import java.util.Optional;

/**
 * How a rank process ended.
 *
 * @param code its exit code; above 128 a signal, as the JDK reports it on Unix
 * @param reason what the rank or its supervisor said before
 */
record Exit(int code, Optional<String> reason) {
    /** The process found its device stuck; starting it again does not help (contract section 10). */
    static final int WEDGED = 86;

    /** The rank said why before it ended. */
    static final int BROKEN = 70;

    private static final Map<Integer, String> SIGNALS = Map.of(
            1, "Hangup",
            2, "Interrupt",
            4, "Illegal instruction",
            6, "Aborted",
            7, "Bus error",
            8, "Floating point exception",
            9, "Killed",
            11, "Segmentation fault",
            15, "Terminated");

    boolean wedged() {
        return code == WEDGED;
    }

    /** The text of the contract, section 10 "Exit causes". */
    String text() {
        if (reason.isPresent()) {
            return reason.get();
        }
        if (wedged()) {
            return "Warm-up ran over its deadline and never came back (exit code 86): the device may be wedged; see the node's log";
        }
        int signal = code - 128;
        return SIGNALS.containsKey(signal)
                ? "Terminated (signal=%d (%s))".formatted(signal, SIGNALS.get(signal))
                : "Terminated (exitcode=%d)".formatted(code);
    }
}
