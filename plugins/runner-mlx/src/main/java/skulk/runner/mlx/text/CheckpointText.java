package skulk.runner.mlx.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import skulk.api.generation.Sampling;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonException;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.runner.mlx.checkpoint.CheckpointException;

/**
 * What a checkpoint folder says about text beside its tokenizer: templates, special tokens, end tokens, sampling
 * defaults.
 *
 * @param templates chat templates by name; {@code default} is the usual one, none for base models
 * @param specialTokens variables of templates: {@code bos_token}, {@code eos_token}, {@code unk_token}, {@code
 *     pad_token}, …
 * @param addBos what {@code add_bos_token} says
 * @param endTokens ids that end an answer
 * @param defaults sampling where the request is silent
 */
public record CheckpointText(
        Map<String, String> templates,
        Map<String, String> specialTokens,
        Optional<Boolean> addBos,
        Set<Integer> endTokens,
        Sampling defaults) {

    private static final String DEFAULT = "default";

    public CheckpointText {
        templates = Map.copyOf(templates);
        specialTokens = Map.copyOf(specialTokens);
        endTokens = Set.copyOf(endTokens);
    }

    /**
     * Reads {@code tokenizer_config.json}, template files, {@code generation_config.json} and {@code config.json}, as
     * far as they exist.
     *
     * @throws CheckpointException naming the file and the field that cannot be read
     */
    public static CheckpointText load(Path folder) {
        JsonObject tokenizer = read(folder.resolve("tokenizer_config.json"));
        JsonObject generation = read(folder.resolve("generation_config.json"));
        JsonObject config = read(folder.resolve("config.json"));
        try {
            return new CheckpointText(
                    templates(folder, tokenizer),
                    specialTokens(tokenizer),
                    tokenizer.bool("add_bos_token"),
                    endTokens(generation, config),
                    defaults(generation));
        } catch (JsonException | ArithmeticException e) {
            throw new CheckpointException(folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * The template for a conversation: {@code tool_use} where tools are offered and there is one (as transformers
     * chooses).
     */
    public Optional<String> template(boolean tools) {
        return Optional.ofNullable(tools ? templates.get("tool_use") : null)
                .or(() -> Optional.ofNullable(templates.get(DEFAULT)))
                .or(() -> templates.size() == 1 ? templates.values().stream().findFirst() : Optional.empty());
    }

    public Optional<String> bosToken() {
        return Optional.ofNullable(specialTokens.get("bos_token"));
    }

    /** These end tokens and the tokenizer's own {@code eos_token}. */
    public Set<Integer> endTokens(Tokenizer tokenizer) {
        Set<Integer> all = new LinkedHashSet<>(endTokens);
        Optional.ofNullable(specialTokens.get("eos_token"))
                .flatMap(tokenizer::id)
                .ifPresent(all::add);
        return all;
    }

    /** Template files win over the tokenizer's configuration, the processor's file comes last. */
    private static Map<String, String> templates(Path folder, JsonObject tokenizer) {
        Map<String, String> found = new TreeMap<>();
        Path additional = folder.resolve("additional_chat_templates");
        if (Files.isDirectory(additional)) {
            try (Stream<Path> files = Files.list(additional)) {
                for (Path file :
                        files.filter(f -> f.toString().endsWith(".jinja")).toList()) {
                    String name = file.getFileName().toString();
                    found.put(name.substring(0, name.length() - ".jinja".length()), text(file));
                }
            } catch (IOException e) {
                throw new CheckpointException(additional + ": " + e.getMessage(), e);
            }
        }
        Path single = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(single)) {
            found.put(DEFAULT, text(single));
        }
        if (found.isEmpty()) {
            tokenizer.find("chat_template").ifPresent(json -> addTemplates(json, found));
        }
        if (found.isEmpty()) {
            read(folder.resolve("chat_template.json"))
                    .find("chat_template")
                    .ifPresent(json -> addTemplates(json, found));
        }
        return found;
    }

    private static void addTemplates(Json json, Map<String, String> into) {
        switch (json) {
            case JsonString(String template) -> into.put(DEFAULT, template);
            case JsonObject named -> named.members().keySet().forEach(name -> into.put(name, required(named, name)));
            case JsonArray list -> {
                for (Json item : list) {
                    if (!(item instanceof JsonObject named)) {
                        throw new JsonException("'chat_template' must list objects, not " + item.kind(), -1);
                    }
                    into.put(required(named, "name"), required(named, "template"));
                }
            }
            default -> throw new JsonException("'chat_template' must be a string or a list, not " + json.kind(), -1);
        }
    }

    private static String required(JsonObject object, String name) {
        return object.string(name).orElseThrow(() -> new JsonException("'chat_template' has no '" + name + "'", -1));
    }

    /** All {@code *_token} entries, each a string or an object with its {@code content}. */
    private static Map<String, String> specialTokens(JsonObject tokenizer) {
        Map<String, String> tokens = new LinkedHashMap<>();
        tokenizer.members().forEach((name, value) -> {
            if (!name.endsWith("_token")) {
                return;
            }
            if (value instanceof JsonString(String content)) {
                tokens.put(name, content);
            } else if (value instanceof JsonObject object) {
                object.string("content").ifPresent(content -> tokens.put(name, content));
            }
        });
        return tokens;
    }

    /** The generation config's, else the model config's (also nested under {@code text_config}). */
    private static Set<Integer> endTokens(JsonObject generation, JsonObject config) {
        Set<Integer> ids = new LinkedHashSet<>();
        collectIds(generation, ids);
        collectIds(config, ids);
        if (ids.isEmpty()) {
            config.object("text_config").ifPresent(nested -> collectIds(nested, ids));
        }
        return ids;
    }

    private static void collectIds(JsonObject object, Set<Integer> into) {
        object.find("eos_token_id").ifPresent(value -> {
            for (Json item : value instanceof JsonArray list ? list : JsonArray.of(value)) {
                if (!(item instanceof JsonNumber number)) {
                    throw new JsonException("'eos_token_id' must be a number or a list of numbers", -1);
                }
                into.add(Math.toIntExact(number.toLong()));
            }
        });
    }

    private static Sampling defaults(JsonObject generation) {
        boolean greedy = generation
                .find("do_sample")
                .filter(new JsonBoolean(false)::equals)
                .isPresent();
        return new Sampling(
                greedy ? Optional.of(0.0) : generation.number("temperature"),
                generation.number("top_p"),
                generation.integer("top_k").map(Math::toIntExact),
                generation.number("min_p"),
                Optional.empty(),
                generation.number("repetition_penalty"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of());
    }

    private static JsonObject read(Path file) {
        if (!Files.isRegularFile(file)) {
            return JsonObject.EMPTY;
        }
        try {
            if (Json.parse(Files.readAllBytes(file)) instanceof JsonObject object) {
                return object;
            }
            throw new CheckpointException(file + " is not a JSON object");
        } catch (IOException | JsonException e) {
            throw new CheckpointException(file + ": " + e.getMessage(), e);
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new CheckpointException(file + ": " + e.getMessage(), e);
        }
    }
}
