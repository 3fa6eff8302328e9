package skulk.runner.mlx.text;

import java.nio.file.Path;
import java.util.Set;

/**
 * The text side of a checkpoint folder. Safe for use by several threads.
 *
 * @param config what the folder says about text
 * @param endTokens ids that end an answer
 */
public record TextModel(Tokenizer tokenizer, CheckpointText config, PromptBuilder prompts, Set<Integer> endTokens)
        implements AutoCloseable {

    /** @throws skulk.runner.mlx.checkpoint.CheckpointException naming the file that cannot be read */
    public static TextModel load(Path folder) {
        CheckpointText config = CheckpointText.load(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        return new TextModel(
                tokenizer, config, new PromptBuilder(tokenizer, config), Set.copyOf(config.endTokens(tokenizer)));
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
