package skulk.kernel.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/**
 * A YAML document as JSON values with the line of every key. Only plain data: no tags, no duplicate keys, bounded aliases, nesting and size.
 *
 * @param root the top mapping
 * @param lines line numbers by dotted path
 */
record YamlTree(JsonObject root, Map<String, Integer> lines) {
    private static final int MAX_ALIASES = 20;
    private static final int MAX_DEPTH = 30;
    private static final int MAX_CHARACTERS = 4 << 20;

    /** @throws ConfigurationException with the line where the text stops being such YAML */
    static YamlTree parse(String name, String text) {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        options.setMaxAliasesForCollections(MAX_ALIASES);
        options.setNestingDepthLimit(MAX_DEPTH);
        options.setCodePointLimit(MAX_CHARACTERS);
        try {
            // constructing checks duplicate keys and aliases; the tree is read from the nodes, which know their lines
            new Yaml(new SafeConstructor(options)).load(text);
            Node node = new Yaml(new SafeConstructor(options)).compose(new java.io.StringReader(text));
            Reader reader = new Reader(name);
            if (node == null || node.getTag().equals(Tag.NULL)) {
                return new YamlTree(JsonObject.EMPTY, Map.of());
            }
            if (!(node instanceof MappingNode mapping)) {
                throw new ConfigurationException(name + ": must be a mapping of keys to values");
            }
            return new YamlTree(reader.object(mapping, "", 0), reader.lines);
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            throw new ConfigurationException("%s:%d: %s".formatted(name, line, e.getProblem()));
        } catch (YAMLException e) {
            throw new ConfigurationException(name + ": " + e.getMessage());
        }
    }

    private static final class Reader {
        private final String name;
        private final Map<String, Integer> lines = new HashMap<>();

        Reader(String name) {
            this.name = name;
        }

        JsonObject object(MappingNode mapping, String prefix, int depth) {
            if (depth > MAX_DEPTH) { // an alias that contains itself
                throw new ConfigurationException("%s:%d: nested deeper than %d"
                        .formatted(name, mapping.getStartMark().getLine() + 1, MAX_DEPTH));
            }
            SequencedMap<String, Json> members = new LinkedHashMap<>();
            for (NodeTuple tuple : mapping.getValue()) {
                int line = tuple.getKeyNode().getStartMark().getLine() + 1;
                if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                    throw new ConfigurationException("%s:%d: a key must be a word".formatted(name, line));
                }
                String path = prefix + key.getValue();
                lines.put(path, line);
                members.put(key.getValue(), value(tuple.getValueNode(), path, depth + 1));
            }
            return new JsonObject(members);
        }

        private Json value(Node node, String path, int depth) {
            return switch (node) {
                case MappingNode mapping -> object(mapping, path + ".", depth);
                case SequenceNode sequence -> {
                    List<Json> items = new ArrayList<>();
                    if (depth > MAX_DEPTH) {
                        throw new ConfigurationException(name + ": nested deeper than " + MAX_DEPTH);
                    }
                    sequence.getValue().forEach(item -> items.add(value(item, path, depth + 1)));
                    yield new JsonArray(items);
                }
                case ScalarNode scalar -> scalar(scalar);
                default ->
                    throw new ConfigurationException("%s:%d: not plain data"
                            .formatted(name, node.getStartMark().getLine() + 1));
            };
        }

        private static Json scalar(ScalarNode node) {
            String text = node.getValue();
            if (node.getTag().equals(Tag.NULL)) {
                return Json.NULL;
            }
            if (node.getTag().equals(Tag.BOOL)) {
                return new JsonBoolean(List.of("true", "yes", "on").contains(text.toLowerCase(java.util.Locale.ROOT)));
            }
            if (node.getTag().equals(Tag.INT) || node.getTag().equals(Tag.FLOAT)) {
                try {
                    return JsonNumber.of(new java.math.BigDecimal(text.replace("_", "")));
                } catch (NumberFormatException e) {
                    return new JsonString(text); // octal, hexadecimal, .inf and times of day are texts here
                }
            }
            return new JsonString(text);
        }
    }
}
