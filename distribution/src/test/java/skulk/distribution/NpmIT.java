package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The npm packages of OpenAI, Claude and Ollama, and the page of the API's description, run by Node.js from {@code src/test/npm}. */
@ExtendWith(SharedNode.class)
class NpmIT {
    private static final Path SOURCES = Path.of(System.getProperty("skulk.test.npm", "src/test/npm"));
    private static final Path WORK = Path.of(System.getProperty("skulk.test.npm.work", "target/npm"));

    private record Result(int code, String output) {}

    @BeforeAll
    static void install() throws Exception {
        for (String tool : List.of("node", "npm")) {
            assumeTrue(there(tool), tool + " is not installed: the npm clients are not tested");
        }
        Files.createDirectories(WORK);
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.toList()) {
                Files.copy(file, WORK.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Result installed = run(Map.of(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
        assumeFalse(
                installed.output().matches("(?s).*(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH).*"),
                "there is no npm registry: the npm clients are not tested\n" + installed.output());
        assertEquals(0, installed.code(), installed.output());
    }

    private static boolean there(String tool) {
        return Stream.of(System.getenv("PATH").split(":")).anyMatch(dir -> Files.isExecutable(Path.of(dir, tool)));
    }

    private static Result run(Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("skulk-npm", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(WORK.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(180, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly().waitFor();
                return new Result(-1, "not done in time:\n" + Files.readString(output));
            }
            return new Result(process.exitValue(), Files.readString(output));
        } finally {
            Files.delete(output);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"openai", "claude", "ollama", "docs"})
    void servesTheClient(String client, ServingNode node) throws Exception {
        Result result = run(Map.of("SKULK_URL", node.url()), "node", "--test", client + ".test.mjs");
        assertEquals(0, result.code(), result.output());
    }

    /** The types of the package say what its users can send. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "ChatRequest",
                "GenerateRequest",
                "Options",
                "EmbedRequest",
                "EmbeddingsRequest",
                "ShowRequest",
                "Message",
                "Tool.function"
            })
    void everyFieldOfTheOllamaPackageDoesWhatItsRowSays(String type, ServingNode node) throws Exception {
        String[] names = type.split("\\.");
        String types = Files.readString(WORK.resolve("node_modules/ollama/dist/browser.d.ts"));
        String block = types.substring(types.indexOf("interface " + names[0] + " {"));
        block = block.substring(0, block.indexOf("\n}"));
        String indent = "    ";
        if (names.length == 2) {
            block = block.substring(block.indexOf("    " + names[1] + ": {"));
            indent = "        ";
        }
        Set<String> fields = Pattern.compile("(?m)^" + indent + "([a-z_]+)\\??:")
                .matcher(block)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(fields.size() > 2, fields::toString);
        assertEquals(List.of(), FieldTables.wrong(node, OllamaFields.TYPES.get(type), fields));
    }
}
