package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every row of the tables in {@code docs/api.md} names tests, and they exist: a method, a class, or a method of a class. */
class ApiTablesTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern CLASS = Pattern.compile("`(\\w+(?:Test|IT))(?:\\.\\w+)?`");
    private static final Pattern NAME = Pattern.compile("`([^`]+)`");
    private static final int ROWS = 90;

    private static final Map<String, String> SOURCES = new HashMap<>();

    @BeforeAll
    static void read() throws IOException {
        for (String place : List.of("plugins", "skulk-kernel", "skulk-api", "distribution")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(place))) {
                for (Path file : files.filter(f -> f.toString().matches(".*/src/test/java/.*(Test|IT)\\.java"))
                        .toList()) {
                    SOURCES.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
                }
            }
        }
    }

    @Test
    void everyRowNamesTestsThatThereAre() throws IOException {
        List<String> wrong = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        int rows = 0;
        boolean table = false;
        for (String line : Files.readAllLines(ROOT.resolve("docs/api.md"))) {
            if (line.startsWith("#")) {
                if (line.startsWith("## ")) {
                    classes.clear();
                }
                table = false;
            }
            if (!line.startsWith("|")) {
                CLASS.matcher(line).results().forEach(match -> classes.add(match.group(1)));
            } else if (line.contains("| Test |")) {
                table = true;
            } else if (table && !line.startsWith("|---")) {
                rows++;
                check(line, classes).ifPresent(wrong::add);
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(rows >= ROWS, "only " + rows + " rows");
    }

    /** @param classes that bare names of methods may belong to */
    private static Optional<String> check(String row, Collection<String> classes) {
        String[] cells = row.split("\\|");
        String cell = cells.length < 4 ? "" : cells[cells.length - 1];
        Matcher names = NAME.matcher(cell);
        String last = "";
        int found = 0;
        while (names.find()) {
            String name = names.group(1);
            int dot = name.lastIndexOf('.');
            String owner = dot < 0 ? "" : name.substring(0, dot);
            String method = name.substring(dot + 1);
            if (owner.startsWith("…")) {
                owner = last;
            }
            boolean there = SOURCES.containsKey(name)
                    || (owner.isEmpty() ? classes.stream().anyMatch(type -> has(type, method)) : has(owner, method));
            if (!there) {
                return Optional.of(name + " is no test that the section names: " + row);
            }
            last = owner.isEmpty() ? last : owner;
            found++;
        }
        return found == 0 ? Optional.of("no test: " + row) : Optional.empty();
    }

    private static boolean has(String type, String method) {
        return SOURCES.getOrDefault(type, "").contains("void " + method + "(");
    }
}
