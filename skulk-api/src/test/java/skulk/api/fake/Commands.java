package skulk.api.fake;

import java.io.IOException;

/** Programs of the machine that a test needs and may lack. */
public final class Commands {
    private Commands() {}

    /** Runs one to its end; false where it fails or is not there. */
    public static boolean succeeds(String... command) {
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
}
