package skulk.kernel.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import skulk.api.json.Json;
import skulk.kernel.cluster.Message.Control;
import skulk.kernel.rank.Samples;

/**
 * The bytes of messages, and the rule by which they change ({@code docs/messages.md}, "Versions"). The shapes of all records are in {@code messages.txt}; after a
 * change that the rule allows run with {@code -Dskulk.golden.update=true} and read the diff.
 */
class WireTest {
    private static final Path SHAPES = Path.of("src/test/resources/messages.txt");

    private static byte[] bytes(int version, String json) {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        byte[] all = new byte[10 + body.length];
        all[0] = (byte) version;
        all[9] = 7;
        System.arraycopy(body, 0, all, 10, body.length);
        return all;
    }

    @Test
    void aMessageComesBackWithItsEpoch() {
        Message sent = new Control.Numbered(
                new Reign(1, 2, 3, new skulk.api.cluster.NodeId("a")),
                5,
                List.of(Reported.of(
                        new Event.InstanceCreated(Samples.instance("org/m", new skulk.api.cluster.NodeId("a"))))));
        byte[] wire = Wire.encode(sent, 1L << 40);
        assertEquals(Wire.VERSION, wire[0]);
        assertEquals(Optional.of(new Wire.Envelope(1L << 40, sent)), Wire.decode(wire));
    }

    @Test
    void membersThatAReaderDoesNotKnowAreIgnoredAndRecordsDropped() {
        Wire.Envelope known = Wire.decode(
                        bytes(Wire.VERSION, "{\"Acknowledge\":{\"eventIds\":[\"x\"],\"new\":{\"a\":1}}}"))
                .orElseThrow();
        assertEquals(new Wire.Envelope(7, new Control.Acknowledge(List.of("x"))), known);
        assertEquals(Optional.empty(), Wire.decode(bytes(Wire.VERSION, "{\"Unheard\":{}}")));
        assertEquals(Optional.empty(), Wire.decode(bytes(Wire.VERSION, "{\"Acknowledge\":")));
    }

    @Test
    void anotherVersionIsKnownAsSuchAndDropped() {
        for (byte[] foreign :
                List.of(bytes(1, "{\"WantSnapshot\":{}}"), bytes(3, "{\"WantSnapshot\":{}}"), new byte[3])) {
            assertTrue(Wire.foreign(foreign));
            assertEquals(Optional.empty(), Wire.decode(foreign));
        }
        assertFalse(Wire.foreign(bytes(Wire.VERSION, "{\"WantSnapshot\":{}}")));
    }

    @Test
    void recordsChangeByTheRule() throws IOException {
        Map<String, String> now = shapes();
        String first = "version " + Wire.VERSION;
        if (Boolean.getBoolean("skulk.golden.update")) {
            StringBuilder text = new StringBuilder(first).append('\n');
            now.forEach((member, type) ->
                    text.append(member).append(' ').append(type).append('\n'));
            Files.writeString(SHAPES, text);
        }
        List<String> golden = Files.readAllLines(SHAPES);
        Map<String, String> before = new TreeMap<>();
        golden.stream().skip(1).forEach(line -> {
            int space = line.indexOf(' ');
            before.put(line.substring(0, space), line.substring(space + 1));
        });
        if (golden.getFirst().equals(first)) {
            assertEquals(
                    List.of(), broken(before, now), "needs another version of the format and a minor version of Skulk");
        }
        assertEquals(before, now, "see this test's Javadoc");
        assertEquals(first, golden.getFirst(), "see this test's Javadoc");
    }

    @Test
    void theRuleItself() {
        Map<String, String> before = Map.of("R.a", "int", "R.b", "long");
        assertEquals(
                List.of(),
                broken(before, Map.of("R.a", "int", "R.b", "long", "R.c", "Optional<String>", "S.d", "int")));
        assertEquals(
                List.of("R.b: long becomes int", "R.c: int is new and means nothing when it is absent"),
                broken(before, Map.of("R.a", "int", "R.b", "int", "R.c", "int")));
        assertEquals(List.of("R.a: int is gone"), broken(before, Map.of("R.b", "long")));
    }

    /** What readers or writers of the shapes before would not understand. */
    private static List<String> broken(Map<String, String> before, Map<String, String> now) {
        Set<String> broken = new TreeSet<>();
        before.forEach((member, type) -> {
            String fresh = now.get(member);
            if (fresh == null) {
                broken.add(member + ": " + type + " is gone");
            } else if (!fresh.equals(type)) {
                broken.add(member + ": " + type + " becomes " + fresh);
            }
        });
        now.forEach((member, type) -> {
            String owner = member.substring(0, member.lastIndexOf('.'));
            boolean old = before.keySet().stream()
                    .anyMatch(m -> m.substring(0, m.lastIndexOf('.')).equals(owner));
            boolean optional =
                    List.of("Optional<", "List<", "Set<", "Map<").stream().anyMatch(type::startsWith);
            if (old && !before.containsKey(member) && !optional) {
                broken.add(member + ": " + type + " is new and means nothing when it is absent");
            }
        });
        return List.copyOf(broken);
    }

    /** Every member of every record that travels, with its type. */
    private static Map<String, String> shapes() {
        Map<String, String> shapes = new TreeMap<>();
        Set<Class<?>> seen = new HashSet<>();
        Deque<Type> open = new ArrayDeque<>(List.of(Message.class));
        while (!open.isEmpty()) {
            Type next = open.pop();
            if (next instanceof ParameterizedType parameterized) {
                open.addAll(Arrays.asList(parameterized.getActualTypeArguments()));
            } else if (next instanceof Class<?> type && type.getName().startsWith("skulk.") && seen.add(type)) {
                visit(type, shapes, open);
            }
        }
        return shapes;
    }

    private static void visit(Class<?> type, Map<String, String> shapes, Collection<Type> open) {
        if (Json.class.isAssignableFrom(type)) {
            return; // JSON as it is
        }
        if (type.isSealed()) {
            open.addAll(Arrays.asList(type.getPermittedSubclasses()));
        }
        if (type.isEnum()) {
            shapes.put(
                    name(type) + ".(values)",
                    Arrays.stream(type.getEnumConstants())
                            .map(c -> ((Enum<?>) c).name())
                            .toList()
                            .toString());
        }
        if (type.isRecord()) {
            shapes.put(name(type) + ".(record)", "record");
            for (RecordComponent component : type.getRecordComponents()) {
                shapes.put(
                        name(type) + "." + component.getName(),
                        component.getGenericType().getTypeName().replaceAll("[a-z]+\\.", ""));
                open.add(component.getGenericType());
            }
        }
    }

    private static String name(Class<?> type) {
        return type.getName().substring(type.getPackageName().length() + 1);
    }
}
