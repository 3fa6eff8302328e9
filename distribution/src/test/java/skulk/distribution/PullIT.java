package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** {@code skulk models} as people type it: on a terminal, in a pipe, and interrupted. */
class PullIT extends StorageNodes {
    /** What was printed to a terminal so far. */
    private final StringBuffer screen = new StringBuffer();

    private Process onTerminal(String arguments) throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "needs the program script");
        // who runs the tests in the background may have them ignore what Ctrl-C sends, and so their children
        String program = "env --default-signal=INT "
                + SkulkProcess.root().toAbsolutePath().resolve("bin/skulk") + " " + arguments;
        Process terminal = new ProcessBuilder("script", "-qec", program, "/dev/null")
                .redirectErrorStream(true)
                .start();
        Thread.ofVirtual().start(() -> {
            try (InputStream in = terminal.getInputStream()) {
                byte[] bytes = new byte[4096];
                for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
                    screen.append(new String(bytes, 0, n, StandardCharsets.UTF_8));
                }
            } catch (IOException e) {
                screen.append(e);
            }
        });
        return terminal;
    }

    @Test
    void aBarOnATerminalThatCtrlCLeavesAndALineAtEachTenthElsewhere() throws Exception {
        SkulkProcess node = serve("home");
        hub.pauseMillis = 120;
        Process pull = onTerminal("models pull " + MODEL + " --url " + node.url());
        await().atMost(PATIENCE).until(() -> screen.toString().contains("\r" + MODEL + " [#"));
        pull.getOutputStream().write(3); // Ctrl-C
        pull.getOutputStream().flush();
        assertTrue(pull.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertFalse(screen.toString().contains("complete"), screen.toString());
        assertTrue(node.get("/state").body().contains("DownloadOngoing"), "goes on without its watcher");

        hub.pauseMillis = 40;
        List<String> lines =
                skulk("models", "pull", MODEL, "--url", node.url()).lines().toList();
        assertEquals(MODEL + " is complete on " + name(node), lines.getLast());
        assertTrue(lines.size() > 2, lines.toString());
        for (String line : lines.subList(0, lines.size() - 1)) {
            assertTrue(line.matches("acme/Toy-bf16 [ 0-9]{3} %, .* of .* MB, .*/s"), line);
        }
        assertSame(temp.resolve("home/staging").resolve(FOLDER));
        assertTrue(hub.sent.get() <= hub.modelBytes() * 101 / 100, "nothing was fetched twice");

        screen.setLength(0);
        Process again = onTerminal("models pull " + MODEL + " --url " + node.url());
        assertTrue(again.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertEquals(0, again.exitValue());
        await().atMost(PATIENCE).until(() -> screen.toString().contains("is complete on"));
    }

    private static String name(SkulkProcess node) throws Exception {
        return node.json("/state")
                .object("nodeIdentities")
                .flatMap(all -> all.members().values().stream().findFirst())
                .map(skulk.api.json.JsonObject.class::cast)
                .flatMap(identity -> identity.string("friendlyName"))
                .orElseThrow();
    }

    @Test
    void theStoreIsPulledIntoWithoutSizes() throws Exception {
        openStore();
        SkulkProcess host = host();
        hub.pauseMillis = 25;
        List<String> lines =
                skulk("models", "pull", MODEL, "--url", host.url()).lines().toList();
        assertEquals(MODEL + " is complete in the store", lines.getLast());
        assertTrue(lines.size() > 2, lines.toString());
        for (String line : lines.subList(0, lines.size() - 1)) {
            assertTrue(line.matches("acme/Toy-bf16 [ 0-9]{3} %"), line);
        }
        assertTrue(skulk("models", "list", "--url", host.url()).contains(MODEL));
        assertTrue(skulk("models", "show", MODEL, "--url", host.url()).contains("store"));
        assertTrue(
                skulk("models", "rm", MODEL, "--store", "--url", host.url()).contains("deleted the store's copy of"));
        assertFalse(Files.exists(temp.resolve("tank").resolve(FOLDER)));
    }
}
