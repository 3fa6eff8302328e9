package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command line and the life of a node, as processes. */
class ServeIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path temp;

    private SkulkProcess run(String... arguments) throws IOException {
        return SkulkProcess.start(temp, Map.of(), List.of(arguments));
    }

    @Test
    void answersListsItsPluginsAndStopsOnRequest() throws Exception {
        try (SkulkProcess node = SkulkProcess.serve(temp.resolve("home"))) {
            assertEquals(200, node.get("/livez").statusCode());
            assertEquals(404, node.get("/nowhere").statusCode());
            String plugins = node.get("/plugins").body();
            assertTrue(plugins.contains("skulk.membership.solo") && plugins.contains("STARTED"), plugins);
            assertFalse(plugins.contains("FAILED"), plugins);
            ProcessHandle.of(node.pid()).orElseThrow().destroy();
            assertEquals(143, node.exitCode(PATIENCE));
            assertFalse(node.log().contains("Exception"), node.log());
        }
    }

    @Test
    void theDemoSplitsAModelOverTwoNodesAndSurvivesTheLossOfOne() throws Exception {
        try (SkulkProcess demo = run("demo", "--kill", "--api-port", "0")) {
            assertEquals(0, demo.exitCode(PATIENCE), demo::log);
            String log = demo.log();
            assertTrue(log.contains("2 nodes are one cluster") && log.contains("over 2 nodes … ready"), log);
            assertTrue(log.contains("[killed node demo-2") && log.contains("The cluster is now demo-1,"), log);
        }
        try (SkulkProcess senseless = run("demo", "--kill", "--nodes", "1")) {
            assertEquals(2, senseless.exitCode(PATIENCE));
            assertOneLine(senseless, "--kill needs a node to be left");
        }
    }

    @Test
    void refusesASecondNodeOnTheSameHomeAndATakenPort() throws Exception {
        Path home = temp.resolve("home");
        try (SkulkProcess node = SkulkProcess.serve(home)) {
            try (SkulkProcess second = run("serve", "--api-port", "0", "--home", home.toString())) {
                assertEquals(1, second.exitCode(PATIENCE));
                assertOneLine(second, "another node runs on the home");
            }
            String port = node.url().substring(node.url().lastIndexOf(':') + 1);
            try (SkulkProcess second = run(
                    "serve", "--api-port", port, "--home", temp.resolve("other").toString())) {
                assertEquals(1, second.exitCode(PATIENCE));
                assertOneLine(second, "--api-port");
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sreve | did you mean serve?",
                "serve --api-prot 1 | did you mean --api-port?",
                "serve --api-port banana | whole number",
                "serve --api-port | needs a value",
                "serve --config nowhere.yaml | nowhere.yaml",
                "config | explain"
            })
    void refusesWrongArgumentsInOneLine(String arguments, String expected) throws Exception {
        try (SkulkProcess process = run(arguments.split(" "))) {
            assertEquals(2, process.exitCode(PATIENCE), process.log());
            assertOneLine(process, expected);
        }
    }

    private static void assertOneLine(SkulkProcess process, String expected) {
        await().atMost(Duration.ofSeconds(5)).until(() -> process.log().contains(expected));
        assertEquals(1, process.log().lines().count(), process.log());
    }

    @Test
    void printsHelpVersionAndExplainsItsConfiguration() throws Exception {
        Files.writeString(temp.resolve("skulk.yaml"), "tracing:\n  retention_days: 9\n");
        for (String command : List.of(
                "--help", "serve --help", "demo --help", "version", "config explain --home " + temp.resolve("h"))) {
            try (SkulkProcess process = run(command.split(" "))) {
                assertEquals(0, process.exitCode(PATIENCE), process.log());
                if (command.startsWith("config")) {
                    await().until(() -> process.log().contains("tracing.retention_days = 9  (skulk.yaml:2)"));
                }
            }
        }
    }

    @Test
    void loadsAPluginDroppedInWhileItRuns() throws Exception {
        Path home = temp.resolve("home");
        try (SkulkProcess node = SkulkProcess.serve(home)) {
            assertEquals(404, node.get("/example/greeting/Ada").statusCode());
            Path folder = home.resolve("plugins.d/example");
            Files.createDirectories(folder);
            Path built = Path.of(System.getProperty("skulk.plugins", "../plugins"), "example/target/plugin");
            try (Stream<Path> jars = Files.list(built)) {
                for (Path jar : jars.toList()) {
                    Files.copy(jar, folder.resolve(jar.getFileName()));
                }
            }
            assertEquals(200, node.post("/plugins/rescan", "").statusCode());
            assertEquals(
                    "Hello, Ada!",
                    node.json("/example/greeting/Ada").string("greeting").orElseThrow());
        }
    }

    @Test
    void restartsInPlace() throws Exception {
        Path home = temp.resolve("home");
        try (SkulkProcess node = SkulkProcess.serve(home, "--name", "phoenix")) {
            assertEquals(200, node.post("/admin/restart", "").statusCode());
            await().atMost(PATIENCE)
                    .until(() -> node.log()
                                    .lines()
                                    .filter(l -> l.contains("is ready at"))
                                    .count()
                            == 2);
            assertTrue(ProcessHandle.of(node.pid()).orElseThrow().isAlive(), "the same process id");
        }
    }
}
