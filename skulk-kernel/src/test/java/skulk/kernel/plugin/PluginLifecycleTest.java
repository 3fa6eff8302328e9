package skulk.kernel.plugin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import skulk.api.fake.FakeCluster;
import skulk.api.fake.FakeInference;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.operation.Operation.PluginStatus;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Configuration.Setting;
import skulk.kernel.config.Keys;
import skulk.kernel.node.Home;

/** Plugins as jars on disk: what is loaded, refused, started, stopped, and that one's trouble is nobody else's. */
class PluginLifecycleTest {
    private static final String NONE = "return java.util.List.of();";

    @TempDir
    private Path temp;

    private final Registry registry = new Registry();

    private Path folder() {
        return temp.resolve("plugins");
    }

    private Plugins plugins(Map<String, Json> settings, Map<String, JsonObject> sections) {
        Map<String, Setting> values = new LinkedHashMap<>();
        settings.forEach((key, value) -> values.put(key, new Setting(value, "test")));
        Configuration configuration =
                new Configuration(temp.resolve("skulk.yaml"), true, values, sections, Map.of("plugins.a.wrod", 7));
        return new Plugins(
                Plugins.Source.directories(List.of(folder())),
                new PluginEnvironment(
                        configuration,
                        Home.of(Optional.of(temp.resolve("home")), Map.of()),
                        new FakeCluster(),
                        new FakeInference(),
                        reading -> {},
                        file -> false),
                registry);
    }

    private Plugins started() {
        Plugins plugins = plugins(Map.of(), Map.of());
        plugins.start();
        return plugins;
    }

    /** A statement that leaves a mark on disk. */
    private String mark(String name) {
        return "try { java.nio.file.Files.createFile(java.nio.file.Path.of(\"%s\")); } catch (java.io.IOException e) { throw new java.io.UncheckedIOException(e); }"
                .formatted(temp.resolve(name));
    }

    private boolean marked(String name) {
        return Files.exists(temp.resolve(name));
    }

    private void jar(String file, Map<String, String> sources, String... options) throws IOException {
        new PluginJars(temp).jar(folder().resolve(file), sources, options);
    }

    private static String offer(String name, String path) {
        return """
                return java.util.List.of(new skulk.api.HttpFeature() {
                    public String name() { return "%s"; }
                    public java.util.List<skulk.api.http.Route> routes() {
                        return java.util.List.of(new skulk.api.http.Route("GET", "%s", skulk.api.http.Route.Scope.INFER, x -> {}));
                    }
                });""".formatted(name, path);
    }

    private static PluginStatus status(Plugins plugins, String id) {
        return plugins.statuses().stream()
                .filter(s -> s.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private static void assertRefused(Plugins plugins, String id, String... words) {
        PluginStatus status = status(plugins, id);
        assertEquals("FAILED", status.state());
        for (String word : words) {
            assertTrue(
                    status.reason().orElseThrow().contains(word),
                    status.reason().orElseThrow());
        }
    }

    static Stream<Arguments> countsAndFailures() {
        return IntStream.rangeClosed(1, 3)
                .boxed()
                .flatMap(count -> IntStream.range(-1, count)
                        .boxed()
                        .flatMap(start ->
                                IntStream.range(-1, count).mapToObj(stop -> Arguments.of(count, start, stop))));
    }

    @ParameterizedTest(name = "{0} plugins, start of {1} throws, stop of {2} throws")
    @MethodSource("countsAndFailures")
    void startsAndStopsEveryPluginWhicheverOneThrows(int count, int badStart, int badStop) throws IOException {
        for (int i = 0; i < count; i++) {
            String start = mark("started" + i)
                    + (i == badStart ? "throw new IllegalStateException(\"no\");" : offer("f" + i, "/f" + i));
            String stop = mark("stopped" + i) + (i == badStop ? "throw new IllegalStateException(\"never\");" : "");
            jar("p" + i + ".jar", PluginJars.plugin("p" + i, start, stop));
        }
        Plugins plugins = started();
        for (int i = 0; i < count; i++) {
            assertEquals(
                    i == badStart ? "FAILED" : "STARTED",
                    status(plugins, "p" + i).state());
        }
        assertEquals(
                count - (badStart < 0 ? 0 : 1), registry.offers().features().size());
        plugins.close();
        assertEquals(0, registry.offers().features().size());
        for (int i = 0; i < count; i++) {
            assertTrue(marked("started" + i) && marked("stopped" + i), "plugin " + i + " was started and stopped");
            boolean failed = i == badStart || i == badStop;
            assertEquals(failed ? "FAILED" : "STOPPED", status(plugins, "p" + i).state());
        }
    }

    @Test
    void setsTheContextLoaderAroundStartAndStop() throws IOException {
        String check =
                "if (Thread.currentThread().getContextClassLoader() != Entry.class.getClassLoader()) throw new IllegalStateException(\"loader\");";
        jar("a.jar", PluginJars.plugin("a", check + NONE, check + mark("stopped")));
        try (Plugins plugins = started()) {
            assertEquals(
                    "STARTED",
                    status(plugins, "a").state(),
                    () -> status(plugins, "a").reason().orElse(""));
        }
        assertTrue(marked("stopped"));
    }

    @Test
    void interruptsAStartThatHangsAndGoesOn() throws IOException {
        jar("a.jar", PluginJars.plugin("a", "Thread.sleep(60_000);" + NONE, mark("stopped")));
        jar("b.jar", PluginJars.plugin("b", NONE, ""));
        try (Plugins plugins = plugins(Map.of(Keys.PLUGIN_DEADLINE.name(), JsonNumber.of(0.5)), Map.of())) {
            plugins.start();
            assertRefused(plugins, "a", "did not start within 500 ms");
            assertTrue(marked("stopped"), "stop runs also after a failed start");
            assertEquals("STARTED", status(plugins, "b").state());
        }
    }

    @Test
    void refusesAFolderThatCarriesItsOwnApi() throws IOException {
        jar("a/a.jar", PluginJars.plugin("a", NONE, ""));
        jar(
                "a/api.jar",
                Map.of(
                        "module-info.java",
                        "module skulk.api { exports x; }",
                        "x/X.java",
                        "package x; public class X {}"));
        try (Plugins plugins = started()) {
            assertRefused(plugins, "a", "own copy of skulk.api", "remove");
        }
    }

    @Test
    void refusesClassesOfTheApiUnderAnotherName() throws IOException {
        jar("a/a.jar", PluginJars.plugin("a", NONE, ""));
        jar(
                "a/lib.jar",
                Map.of(
                        "module-info.java",
                        "module lib { exports skulk.api.json; }",
                        "skulk/api/json/X.java",
                        "package skulk.api.json; public class X {}"));
        try (Plugins plugins = started()) {
            assertRefused(plugins, "a", "carries the package skulk.api.json");
        }
    }

    @Test
    void refusesAPluginThatRequiresTheKernel() throws IOException {
        Path fake = new PluginJars(temp)
                .jar(
                        temp.resolve("k/kernel.jar"),
                        Map.of(
                                "module-info.java",
                                "module skulk.kernel { exports k; }",
                                "k/K.java",
                                "package k; public class K {}"));
        Map<String, String> sources = new LinkedHashMap<>(PluginJars.plugin("a", NONE, ""));
        sources.computeIfPresent(
                "module-info.java",
                (k, v) -> v.replace("requires skulk.api;", "requires skulk.api; requires skulk.kernel;"));
        jar("a.jar", sources, "--module-path", PluginJars.api() + java.io.File.pathSeparator + fake);
        try (Plugins plugins = started()) {
            assertRefused(plugins, "a.jar", "requires skulk.kernel", "skulk.api only");
        }
    }

    @Test
    void refusesNoneAndSeveralProviders() throws IOException {
        jar(
                "none.jar",
                Map.of(
                        "module-info.java",
                        "module none { requires skulk.api; exports n; }",
                        "n/N.java",
                        "package n; public class N {}"));
        jar("two/one.jar", PluginJars.plugin("one", NONE, ""));
        jar("two/two.jar", PluginJars.plugin("two", NONE, ""));
        try (Plugins plugins = started()) {
            assertRefused(plugins, "none.jar", "no module provides skulk.api.Plugin");
            assertRefused(plugins, "two", "several classes", "one.Entry", "two.Entry");
        }
    }

    @Test
    void refusesCorruptJarsAndEmptyFoldersButLoadsTheRest() throws IOException {
        Files.createDirectories(folder().resolve("empty"));
        Files.writeString(folder().resolve("corrupt.jar"), "this is no zip file");
        jar("good.jar", PluginJars.plugin("good", NONE, ""));
        try (Plugins plugins = started()) {
            assertRefused(plugins, "corrupt.jar", "not a readable jar", "corrupt.jar");
            assertRefused(plugins, "empty", "holds no module");
            assertEquals("STARTED", status(plugins, "good").state());
        }
    }

    @Test
    void refusesAMissingModule() throws IOException {
        Path library = new PluginJars(temp)
                .jar(
                        temp.resolve("l/library.jar"),
                        Map.of(
                                "module-info.java",
                                "module library { exports l; }",
                                "l/L.java",
                                "package l; public class L {}"));
        Map<String, String> sources = new LinkedHashMap<>(PluginJars.plugin("a", NONE, ""));
        sources.computeIfPresent(
                "module-info.java",
                (k, v) -> v.replace("requires skulk.api;", "requires skulk.api; requires library;"));
        jar("a.jar", sources, "--module-path", PluginJars.api() + java.io.File.pathSeparator + library);
        try (Plugins plugins = started()) {
            assertRefused(plugins, "a", "cannot be resolved", "library");
        }
    }

    @Test
    void comparesApiVersionsAsTheRuleSays() {
        ApiVersion running = ApiVersion.parse("1.4.2").orElseThrow();
        assertTrue(running.runs(ApiVersion.parse("1.4.9-SNAPSHOT").orElseThrow()));
        assertTrue(running.runs(ApiVersion.parse("1.0").orElseThrow()));
        assertTrue(!running.runs(ApiVersion.parse("1.5.0").orElseThrow()));
        assertTrue(!running.runs(ApiVersion.parse("2.0.0").orElseThrow()));
        assertTrue(!ApiVersion.parse("0.2.0")
                .orElseThrow()
                .runs(ApiVersion.parse("0.1.0").orElseThrow()));
        assertEquals(Optional.empty(), ApiVersion.parse("banana"));
    }

    @Test
    void failsWhoeverClaimsARouteSecond() throws IOException {
        jar("a.jar", PluginJars.plugin("a", offer("one", "/x/{id}"), ""));
        jar("b.jar", PluginJars.plugin("b", offer("two", "/x/{name}"), mark("stopped")));
        try (Plugins plugins = started()) {
            assertEquals("STARTED", status(plugins, "a").state());
            assertRefused(plugins, "b", "GET /x/{name}", "a");
            assertTrue(marked("stopped"));
            assertEquals(1, registry.offers().features().size());
        }
    }

    @Test
    void failsAPluginWhoseSectionHasAKeyThatNobodyReads() throws IOException {
        jar("a.jar", PluginJars.plugin("a", "context.settings().text(\"word\", \"x\", \"the word\");" + NONE, ""));
        try (Plugins plugins = plugins(Map.of(), Map.of("a", JsonObject.of("wrod", "y")))) {
            plugins.start();
            assertRefused(plugins, "a", "plugins.a.wrod", "skulk.yaml:7", "did you mean word?");
        }
    }

    @Test
    void lendsTheNodesOwnKeysToPlugins() throws IOException {
        jar(
                "a.jar",
                PluginJars.plugin(
                        "a",
                        "if (!context.settings().text(\"hf_token\", \"\", \"token\").equals(\"t\")) throw new IllegalStateException();"
                                + NONE,
                        ""));
        try (Plugins plugins = plugins(Map.of("hf_token", new JsonString("t")), Map.of())) {
            plugins.start();
            assertEquals("STARTED", status(plugins, "a").state());
        }
    }

    @Test
    void leavesDisabledPluginsWhereTheyAreAndNamesMissingRequiredOnes() throws IOException {
        jar("a.jar", PluginJars.plugin("a", mark("started") + NONE, ""));
        Map<String, Json> settings = Map.of(
                Keys.PLUGINS_DISABLED.name(), JsonArray.of("a"), Keys.PLUGINS_REQUIRED.name(), JsonArray.of("zz"));
        try (Plugins plugins = plugins(settings, Map.of())) {
            plugins.start();
            assertEquals("FOUND", status(plugins, "a").state());
            assertTrue(!marked("started"));
            assertTrue(plugins.missing().orElseThrow().contains("zz"));
        }
    }

    @Test
    void rescansForWhatWasAddedRepairedAndRemoved() throws IOException {
        jar("a.jar", PluginJars.plugin("a", offer("a", "/a"), mark("stoppedA")));
        Files.writeString(folder().resolve("b.jar"), "half a copy");
        try (Plugins plugins = started()) {
            List<Integer> sizes = new ArrayList<>();
            registry.onChange(offers -> sizes.add(offers.features().size()));
            Files.delete(folder().resolve("a.jar"));
            jar("b.jar", PluginJars.plugin("b", offer("b", "/b"), ""));
            jar("c.jar", PluginJars.plugin("c", offer("c", "/c"), ""));
            List<PluginStatus> statuses = plugins.rescan();
            assertEquals(
                    List.of("b", "c"), statuses.stream().map(PluginStatus::id).toList());
            assertTrue(statuses.stream().allMatch(s -> s.state().equals("STARTED")), statuses::toString);
            assertEquals(List.of(0, 2), sizes, "withdrawn before stopped, then added");
            assertTrue(marked("stoppedA"));
        }
    }

    @Test
    void givesEachPluginItsOwnLibraryVersion() throws IOException {
        for (String version : List.of("1", "2")) {
            Path library = new PluginJars(temp)
                    .jar(
                            folder().resolve("p" + version + "/lib.jar"),
                            Map.of(
                                    "module-info.java",
                                    "module lib { exports lib; }",
                                    "lib/Version.java",
                                    "package lib; public class Version { public static String get() { return \""
                                            + version + "\"; } }"));
            Map<String, String> sources = new LinkedHashMap<>(PluginJars.plugin(
                    "p" + version,
                    "if (!lib.Version.get().equals(\"" + version + "\")) throw new IllegalStateException();" + NONE,
                    ""));
            sources.computeIfPresent(
                    "module-info.java",
                    (k, v) -> v.replace("requires skulk.api;", "requires skulk.api; requires lib;"));
            jar(
                    "p" + version + "/p.jar",
                    sources,
                    "--module-path",
                    PluginJars.api() + java.io.File.pathSeparator + library);
        }
        try (Plugins plugins = started()) {
            assertTrue(
                    plugins.statuses().stream().allMatch(s -> s.state().equals("STARTED")),
                    plugins.statuses()::toString);
        }
    }
}
