package skulk.runner.mlx.text;

import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationRequest;
import skulk.api.model.ModelCard;

/** How a model writes reasoning and tool calls. */
public record OutputFormat() {
    public static OutputFormat of(ModelCard card, TextModel text) {
        return new OutputFormat();
    }

    public OutputParser parser(GenerationRequest request, String prompt, OutputSink sink) {
        return OutputParser.plain(sink);
    }

    public IntPredicate visibleTokens(Tokenizer tokenizer, GenerationRequest request) {
        return token -> false;
    }

    public IntFunction<String> callIds(CommandId command) {
        return index -> "call_" + index;
    }
}
