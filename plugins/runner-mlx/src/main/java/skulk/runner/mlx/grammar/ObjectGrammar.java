package skulk.runner.mlx.grammar;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import skulk.api.json.Json;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonObject;

/** Adds the objects of a schema to a grammar: named properties in order, optional ones left out or not, then further ones where the schema asks for them. */
final class ObjectGrammar {
    private final JsonGrammar json;
    private final GrammarBuilder builder;
    private final ValueGrammar values;

    /** Adds the values of a schema. */
    interface ValueGrammar {
        int add(int from, Json schema, String where);
    }

    ObjectGrammar(JsonGrammar json, ValueGrammar values) {
        this.json = json;
        this.builder = json.builder;
        this.values = values;
    }

    int object(int from, JsonObject schema, String where) {
        Map<String, Json> properties = new LinkedHashMap<>(
                schema.object("properties").orElse(JsonObject.EMPTY).members());
        Set<String> required = new HashSet<>(SchemaKeywords.strings(schema, "required", where));
        SchemaKeywords.strings(schema, "required", where)
                .forEach(name -> properties.putIfAbsent(name, new JsonBoolean(true)));
        // what an object may hold beside its named properties is nothing, unless the schema says so or names none
        Optional<Json> further = schema.find("additionalProperties")
                .or(() -> properties.isEmpty() ? Optional.of(new JsonBoolean(true)) : Optional.empty())
                .filter(s -> !(s instanceof JsonBoolean(boolean b)) || b);
        int first = json.space(builder.literal(from, "{"));
        int later = builder.state();
        for (Map.Entry<String, Json> property : properties.entrySet()) {
            String name = property.getKey();
            int key = builder.state();
            builder.join(first, key);
            builder.join(json.comma(later), key);
            int colon = json.space(builder.literal(json.key(key, name), ":"));
            int behind = builder.state();
            builder.join(values.add(colon, property.getValue(), where + "/properties/" + name), behind);
            boolean optional = !required.contains(name);
            first = skip(first, optional);
            if (optional) {
                builder.join(later, behind);
            }
            later = behind;
        }
        if (further.isPresent()) {
            later = further(first, later, further.get(), properties.keySet(), where);
        }
        int end = builder.state();
        builder.join(first, end);
        builder.join(later, end);
        return builder.literal(json.space(end), "}");
    }

    /** The state "nothing written yet" behind a property: reached only by leaving an optional one out. */
    private int skip(int first, boolean optional) {
        int next = builder.state();
        if (optional) {
            builder.join(first, next);
        }
        return next;
    }

    private int further(int first, int later, Json schema, Set<String> taken, String where) {
        int key = builder.state();
        int behind = builder.state();
        builder.join(first, key);
        builder.join(later, behind);
        builder.join(json.comma(behind), key);
        int colon = json.space(builder.literal(otherKey(key, taken), ":"));
        String place = where + "/additionalProperties";
        int rule = json.rule(place, start -> values.add(start, schema, place));
        builder.join(builder.call(colon, rule), behind);
        return behind;
    }

    /** A key that is none of the taken ones: printable ASCII without escapes, so that no other spelling of a taken name slips through. */
    private int otherKey(int from, Set<String> taken) {
        Node names = new Node();
        for (String name : taken) {
            Node at = names;
            for (char c : name.toCharArray()) {
                at = at.children.computeIfAbsent(c, k -> new Node());
            }
            at.taken = true;
        }
        names.taken = true;
        int to = builder.state();
        int free = builder.state();
        builder.join(free, to);
        keyCharacters(List.of()).forEach(range -> builder.edge(free, range.low(), range.high(), free));
        names.add(builder, builder.literal(from, "\""), free, to);
        return builder.literal(to, "\"");
    }

    private static List<Characters.Range> keyCharacters(Iterable<Character> except) {
        StringBuilder out = new StringBuilder("\"\\");
        except.forEach(out::append);
        return Characters.of(0x20, 0x7E)
                .and(Characters.anyOf(out.toString()).not())
                .ranges();
    }

    /** The taken names as a tree; the empty key counts as taken. */
    private static final class Node {
        final Map<Character, Node> children = new TreeMap<>();
        boolean taken;

        void add(GrammarBuilder builder, int from, int free, int end) {
            if (!taken) {
                builder.join(from, end);
            }
            for (Characters.Range range : keyCharacters(children.keySet())) {
                builder.edge(from, range.low(), range.high(), free);
            }
            children.forEach((c, child) -> {
                if (c >= 0x20 && c <= 0x7E && c != '"' && c != '\\') {
                    child.add(builder, builder.range(from, c, c), free, end);
                }
            });
        }
    }
}
