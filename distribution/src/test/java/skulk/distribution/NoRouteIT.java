package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** A machine without a network: a model comes as a bundle and answers in a network namespace that has a loopback and nothing else. */
class NoRouteIT extends StorageNodes {
    private final String namespace = "skulk-" + ProcessHandle.current().pid();

    @Test
    void aBundleServesWhereNoPacketCanLeave() throws Exception {
        Assumptions.assumeTrue(
                run("ip", "netns", "add", namespace).code == 0, "needs the right to make network namespaces");
        try {
            inside("ip", "link", "set", "lo", "up");
            assertEquals("", inside("ip", "route").trim(), "a namespace without a route");
            assertTrue(inside("cat", "/proc/net/dev")
                    .lines()
                    .skip(2)
                    .allMatch(line -> line.trim().startsWith("lo:")));
            Path bundle = temp.resolve("toy.skulk");
            skulk("bundle", "export", MODEL, "--from", temp.resolve("hub").toString(), "--to", bundle.toString());
            serveFrom(bundle);
        } finally {
            nodes.forEach(SkulkProcess::close);
            run("ip", "netns", "delete", namespace);
        }
    }

    private void serveFrom(Path bundle) throws Exception {
        Path home = temp.resolve("island");
        inside(
                SkulkProcess.root().resolve("bin/skulk").toAbsolutePath().toString(),
                "bundle",
                "import",
                bundle.toString(),
                "--home",
                home.toString());
        SkulkProcess node = SkulkProcess.serve(
                new SkulkProcess.Machine(List.of("ip", "netns", "exec", namespace), Map.of(), "127.0.0.1"), home);
        nodes.add(node);
        int port = URI.create(node.url()).getPort();
        assertTrue(http(port, "POST", "/place_instance", "{\"model_id\":\"" + MODEL + "\"}")
                .startsWith("HTTP/1.1 200"));
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(300)).until(() -> {
            String state = http(port, "GET", "/state", "");
            assertFalse(state.contains("RunnerFailed") || state.contains("DownloadFailed"), state);
            return state.contains("RunnerReady");
        });
        String answer = http(
                port,
                "POST",
                "/v1/chat/completions",
                "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"ping\"}],\"max_tokens\":2}"
                        .formatted(MODEL));
        assertTrue(answer.startsWith("HTTP/1.1 200") && answer.contains("completion_tokens"), answer);
        assertEquals(0, hub.sent.get());
    }

    /** A request from within the namespace, where this process cannot connect. */
    private String http(int port, String method, String path, String body) throws Exception {
        String request =
                "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                        .formatted(method, path, body.getBytes(StandardCharsets.UTF_8).length, body);
        return inside(
                "bash",
                "-c",
                "exec 3<>/dev/tcp/127.0.0.1/$0; printf %s \"$1\" >&3; cat <&3",
                Integer.toString(port),
                request);
    }

    private record Ended(int code, String output) {}

    private String inside(String... command) throws Exception {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        all.addAll(List.of(command));
        Ended ended = run(all.toArray(String[]::new));
        assertEquals(0, ended.code, ended.output);
        return ended.output;
    }

    private static Ended run(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    ? new Ended(process.exitValue(), output)
                    : new Ended(-1, output);
        } catch (IOException e) {
            return new Ended(-1, e.getMessage()); // no such program here
        }
    }
}
