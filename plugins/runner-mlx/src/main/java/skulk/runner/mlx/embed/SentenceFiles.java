package skulk.runner.mlx.embed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonException;
import skulk.api.json.JsonObject;
import skulk.runner.mlx.checkpoint.CheckpointException;
import skulk.runner.mlx.checkpoint.Fields;

/**
 * What the files of the sentence-transformers library, all of them optional, say about a checkpoint.
 *
 * @param folder where they are
 * @param pooling how rows become a vector
 * @param maxTokens {@code max_seq_length} of {@code sentence_bert_config.json}
 * @param tokenizerLimit {@code model_max_length} of {@code tokenizer_config.json}, where it is a real limit
 * @param lowerCase texts are put in lower case before they are tokenised
 * @param prompt stands before every text; "" for none
 */
record SentenceFiles(
        Path folder,
        Pooling pooling,
        Optional<Integer> maxTokens,
        Optional<Integer> tokenizerLimit,
        boolean lowerCase,
        String prompt) {
    private static final String POOLING = "1_Pooling";
    private static final String DIMENSION = "word_embedding_dimension";
    /** Tokenizers without a limit write 10^30. */
    private static final double NO_LIMIT = 1e9;

    /**
     * Reads the folder.
     *
     * @param width length of a row
     * @param absent the pooling where nothing says
     * @throws CheckpointException naming the file and what in it is not supported
     */
    static SentenceFiles read(Path folder, int width, Pooling absent) {
        Fields sentence = fields(folder.resolve("sentence_bert_config.json"));
        Fields tokenizer = fields(folder.resolve("tokenizer_config.json"));
        return new SentenceFiles(
                folder,
                pooling(folder, width).orElse(absent),
                sentence.findCount("max_seq_length", 1),
                tokenizer
                        .findNumber("model_max_length")
                        .filter(limit -> limit >= 1 && limit < NO_LIMIT)
                        .map(Double::intValue),
                sentence.flag("do_lower_case", false),
                prompt(fields(folder.resolve("config_sentence_transformers.json"))));
    }

    /** The limit of a text, given that of the position table. */
    int limit(int positions) {
        return Math.min(positions, maxTokens.or(() -> tokenizerLimit).orElse(positions));
    }

    private static Optional<Pooling> pooling(Path folder, int width) {
        Path modules = folder.resolve("modules.json");
        String path = Files.isRegularFile(modules) ? poolingPath(modules) : POOLING;
        Path file = folder.resolve(path).resolve("config.json");
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        Fields config = fields(file);
        config.findCount(DIMENSION, 1).filter(d -> d != width).ifPresent(d -> {
            throw config.wrong(DIMENSION, "is " + d + ", the model's rows have " + width);
        });
        List<Pooling> chosen = Arrays.stream(Pooling.values())
                .filter(p -> config.flag(p.flag(), false))
                .toList();
        if (chosen.size() > 1) {
            throw config.wrong(
                    chosen.get(1).flag(), "is true beside " + chosen.getFirst().flag() + "; known is one");
        }
        if (!config.flag("include_prompt", true)) {
            throw config.wrong("include_prompt", "is false; pooling takes all tokens");
        }
        return chosen.stream().findFirst();
    }

    /** The folder of the pooling module; every other module must be one whose effect is known. Vectors are normalised anyway. */
    private static String poolingPath(Path file) {
        String path = POOLING;
        if (!(json(file) instanceof JsonArray modules)) {
            throw new CheckpointException(file + ": not a JSON array");
        }
        for (Json item : modules) {
            if (!(item instanceof JsonObject json)) {
                throw new CheckpointException(file + ": holds " + item + ", not an object");
            }
            Fields module = new Fields(file.toString(), json);
            String type = module.text("type").orElse("");
            switch (type.substring(type.lastIndexOf('.') + 1)) {
                case "Transformer", "Normalize" -> {}
                case "Pooling" -> path = plain(module, module.text("path").orElse(POOLING));
                default -> throw module.wrong("type", "is " + type + "; known are Transformer, Pooling, Normalize");
            }
        }
        return path;
    }

    private static String plain(Fields module, String path) {
        if (path.isEmpty() || path.contains("/") || path.contains("\\") || path.equals("..")) {
            throw module.wrong("path", "is " + path + ", not the name of a folder");
        }
        return path;
    }

    private static String prompt(Fields config) {
        return config.text("default_prompt_name")
                .map(name -> config.object("prompts")
                        .flatMap(prompts -> prompts.text(name))
                        .orElseThrow(() -> config.wrong("default_prompt_name", "is " + name + ", not one of prompts")))
                .orElse("");
    }

    /** A JSON object, empty where there is no file. */
    static Fields fields(Path file) {
        if (!Files.isRegularFile(file)) {
            return new Fields(file.toString(), JsonObject.EMPTY);
        }
        if (json(file) instanceof JsonObject object) {
            return new Fields(file.toString(), object);
        }
        throw new CheckpointException(file + ": not a JSON object");
    }

    private static Json json(Path file) {
        try {
            return Json.parse(Files.readAllBytes(file));
        } catch (IOException | JsonException e) {
            throw new CheckpointException(file + ": " + e.getMessage(), e);
        }
    }
}
