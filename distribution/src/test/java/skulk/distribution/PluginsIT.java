package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.json.JsonObject;

/** Plugins that were dropped into a node's folder: each for itself, and none takes the node down. */
class PluginsIT {
    private static final String API = "requires skulk.api; ";

    @TempDir
    private Path home;

    private Path folder(String name) {
        return home.resolve("plugins.d").resolve(name);
    }

    @Test
    void twoVersionsOfOneLibraryAndThreeKindsOfTrouble() throws Exception {
        Path jackson = Path.of(com.fasterxml.jackson.core.json.PackageVersion.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Files.createDirectories(folder("newjackson"));
        Path real = Files.copy(jackson, folder("newjackson").resolve("jackson-core.jar"));
        String version = "com.fasterxml.jackson.core.json.PackageVersion.VERSION.toString()";
        String needs = API + "requires com.fasterxml.jackson.core; ";
        PluginSources.jar(
                folder("newjackson").resolve("plugin.jar"),
                PluginSources.answering("newjackson", needs, version),
                real);

        Path old = oldJackson(folder("oldjackson").resolve("jackson-core.jar"));
        PluginSources.jar(
                folder("oldjackson").resolve("plugin.jar"), PluginSources.answering("oldjackson", needs, version), old);

        Files.createDirectories(folder("ownapi"));
        Path api = PluginSources.library("skulk-api");
        Files.copy(api, folder("ownapi").resolve(api.getFileName()));
        PluginSources.jar(folder("ownapi").resolve("plugin.jar"), PluginSources.answering("ownapi", API, "\"never\""));

        PluginSources.jar(
                home.resolve("plugins.d/throwing.jar"),
                PluginSources.plugin("throwing", API, "throw new java.io.IOException(\"no luck today\");"));
        PluginSources.jar(
                folder("kernel").resolve("plugin.jar"),
                PluginSources.plugin("kernel", API + "requires skulk.kernel; ", "return java.util.List.of();"),
                SkulkProcess.root().resolve("lib"));

        try (ServingNode node = ServingNode.start(home)) {
            assertEquals(200, node.process().get("/livez").statusCode());
            assertEquals(
                    com.fasterxml.jackson.core.json.PackageVersion.VERSION.toString(),
                    node.process().json("/newjackson").string("value").orElseThrow());
            assertEquals(
                    "1.9.13", node.process().json("/oldjackson").string("value").orElseThrow());
            Map<String, JsonObject> plugins = byFolder(node);
            assertEquals("STARTED", plugins.get("newjackson").string("state").orElseThrow());
            assertEquals("STARTED", plugins.get("oldjackson").string("state").orElseThrow());
            assertFailed(plugins.get("throwing.jar"), "no luck today");
            assertFailed(plugins.get("ownapi"), "skulk.api");
            assertFailed(plugins.get("kernel"), "skulk.kernel");
            assertEquals(404, node.process().get("/ownapi").statusCode());
            plugins.values().stream()
                    .filter(p -> !p.string("file").orElseThrow().startsWith(home.toString()))
                    .forEach(p -> assertEquals("STARTED", p.string("state").orElseThrow(), p.toString()));
            assertTrue(node.place(ServingNode.TINY).ready(ServingNode.TINY), "and it serves");
        }
    }

    /** A jar with the module name and the package of Jackson, as old as no plugin of today has it. */
    private static Path oldJackson(Path target) throws Exception {
        Map<String, String> sources = Map.of(
                "module-info.java",
                "module com.fasterxml.jackson.core { exports com.fasterxml.jackson.core.json; }",
                "PackageVersion.java",
                """
                package com.fasterxml.jackson.core.json;
                public final class PackageVersion { public static final Object VERSION = new StringBuilder("1.9.13"); }
                """);
        return PluginSources.jar(target, sources);
    }

    private static Map<String, JsonObject> byFolder(ServingNode node) throws Exception {
        Map<String, JsonObject> found = new HashMap<>();
        node.process().json("/plugins").array("plugins").orElseThrow().items().forEach(item -> {
            JsonObject plugin = (JsonObject) item;
            found.put(Path.of(plugin.string("file").orElseThrow()).getFileName().toString(), plugin);
        });
        return found;
    }

    private static void assertFailed(JsonObject plugin, String word) {
        assertEquals("FAILED", plugin.string("state").orElseThrow(), plugin.toString());
        String reason = plugin.string("reason").orElseThrow();
        assertTrue(reason.contains(word), reason);
        assertFalse(reason.lines().count() > 3, "a sentence, not a stack trace: " + reason);
    }
}
