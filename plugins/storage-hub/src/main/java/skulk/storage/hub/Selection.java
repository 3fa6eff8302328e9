package skulk.storage.hub;

import java.util.List;
import java.util.Set;

/** Which files of a repository serving an MLX checkpoint needs: weights as safetensors, configuration, tokenizer and template. */
final class Selection {
    private static final Set<String> TEXTS = Set.of(
            "tokenizer.model", "tiktoken.model", "vocab.txt", "merges.txt", "chat_template.jinja", "model-card.toml");

    private Selection() {}

    /** What is needed out of all paths; duplicates of the weights in other formats are not. */
    static List<String> of(List<String> paths) {
        boolean plain =
                paths.stream().anyMatch(p -> p.equals("model.safetensors") || p.equals("model.safetensors.index.json"));
        return paths.stream().filter(path -> needed(path, plain)).toList();
    }

    private static boolean needed(String path, boolean plain) {
        int slash = path.lastIndexOf('/');
        String name = path.substring(slash + 1);
        if (name.startsWith(".")) {
            return false;
        }
        if (slash >= 0) {
            // pooling and normalisation of embedding models, further chat templates; other folders hold exports to
            // other formats
            return (path.matches("[0-9]+_[A-Za-z]+/config\\.json"))
                    || path.matches("additional_chat_templates/[^/]+\\.jinja");
        }
        if (name.endsWith(".safetensors")) {
            return !(plain && name.startsWith("consolidated"));
        }
        if (name.endsWith(".json")) {
            return !name.startsWith("consolidated")
                    && !name.endsWith("pytorch_model.bin.index.json")
                    && !name.equals("params.json");
        }
        return TEXTS.contains(name) || name.endsWith(".tiktoken");
    }
}
