package skulk.runner.mlx.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.json.JsonString;
import skulk.api.model.ModelCard;

/**
 * How a model writes reasoning and tool calls: what its card says, else what its chat template shows. Safe for use by
 * several threads.
 *
 * <p>Only answers to conversations are parsed, and tool calls only where tools were offered; everything else is plain
 * text.
 */
public final class OutputFormat {
    private static final String ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private final ToolFormat tools;
    private final Optional<ReasoningTags> reasoning;
    private final boolean shortIds;

    private OutputFormat(ToolFormat tools, Optional<ReasoningTags> reasoning, boolean shortIds) {
        this.tools = tools;
        this.reasoning = reasoning;
        this.shortIds = shortIds;
    }

    /** The format of a model. */
    public static OutputFormat of(ModelCard card, CheckpointText text) {
        String template = String.join("\n", text.templates().values());
        Optional<ToolFormat> named = card.runtime()
                .flatMap(ModelCard.Runtime::outputParser)
                .flatMap(ToolFormat::named)
                .or(() -> card.tooling().map(ModelCard.Tooling::toolCallFormat).flatMap(ToolFormat::named));
        boolean thinks = card.reasoning()
                .filter(r -> r.format().equals("token_delimited"))
                .isPresent();
        return new OutputFormat(
                named.orElseGet(() -> ToolFormat.detect(template)),
                ReasoningTags.of(template).or(() -> thinks ? Optional.of(ReasoningTags.THINK) : Optional.empty()),
                // Mistral's templates refuse any other length
                template.contains("length 9") || template.contains("|length != 9"));
    }

    /** For tests and templates without a card. */
    static OutputFormat of(String template) {
        return new OutputFormat(ToolFormat.detect(template), ReasoningTags.of(template), false);
    }

    /** The name of the tool format. */
    public String toolFormat() {
        return tools.name();
    }

    /** Whether the model marks reasoning. */
    public boolean reasons() {
        return reasoning.isPresent() || harmony();
    }

    private boolean harmony() {
        return tools.name().equals(ToolFormat.HARMONY);
    }

    /**
     * The parser of one answer.
     *
     * @param prompt the rendered prompt, which may have begun the reasoning
     */
    public OutputParser parser(GenerationRequest request, String prompt, OutputSink sink) {
        if (!(request.prompt() instanceof Conversation conversation)) {
            return OutputParser.plain(sink);
        }
        boolean offered = offersTools(conversation);
        if (harmony()) {
            return new HarmonyParser(sink, offered);
        }
        OutputParser content = offered
                ? new ToolCallParser(sink, tools, new ArgumentTypes(conversation.tools()))
                : OutputParser.plain(sink);
        return reasoning
                .<OutputParser>map(tags -> new ReasoningParser(sink, tags, tags.openAtEndOf(prompt), content))
                .orElse(content);
    }

    /** The special tokens that the parser of an answer has to see. */
    public IntPredicate visibleTokens(Tokenizer tokenizer, GenerationRequest request) {
        List<String> markers = new ArrayList<>();
        if (request.prompt() instanceof Conversation conversation) {
            if (harmony() || offersTools(conversation)) {
                markers.addAll(tools.markers());
            }
            reasoning.ifPresent(tags -> markers.addAll(List.of(tags.open(), tags.close())));
        }
        BitSet visible = new BitSet();
        Vocabulary vocabulary = tokenizer.vocabulary();
        if (!markers.isEmpty()) {
            vocabulary
                    .specialTokens()
                    .forEach((content, id) ->
                            visible.set(id, markers.stream().anyMatch(marker -> marker.contains(content))));
        }
        return visible::get;
    }

    /** What ends the reasoning of this model and begins its answer; empty where it marks none. */
    public Optional<String> endOfReasoning() {
        return harmony()
                ? Optional.of("<|end|><|start|>assistant<|channel|>final<|message|>")
                : reasoning.map(tags -> "\n" + tags.close() + "\n\n");
    }

    /**
     * A call as this model's parser understands it.
     *
     * @param head what comes before the arguments, which are a JSON object
     * @param tail what comes behind them
     */
    public record CallText(String head, String tail) {}

    /** How a forced call of a tool is written. */
    public CallText callText(String tool) {
        if (harmony()) {
            return new CallText(" to=functions." + tool + "<|channel|>commentary json<|message|>", "");
        }
        String open = tools.bare() || tools.open().isEmpty() ? "" : tools.open().getFirst() + "\n";
        String close = open.isEmpty() || tools.close().isEmpty()
                ? ""
                : "\n" + tools.close().getFirst();
        return new CallText(open + "{\"name\": " + new JsonString(tool) + ", \"arguments\": ", "}" + close);
    }

    /** Whether forced calls may follow one another. */
    public boolean severalCalls() {
        return !harmony() && !tools.bare();
    }

    /** What the model writes before calls that it is forced to make, given its prompt: the end of its reasoning. */
    public Optional<String> startsCallsAfter(String prompt) {
        return harmony()
                ? Optional.empty()
                : reasoning.filter(tags -> tags.openAtEndOf(prompt)).map(ReasoningTags::close);
    }

    /** What the model writes before its answer proper, given its prompt. */
    public Optional<String> startsContentAfter(String prompt) {
        return harmony() ? Optional.of("<|channel|>final<|message|>") : startsCallsAfter(prompt);
    }

    /** Ids of tool calls by index: the same whenever the same request is answered, different for every request. */
    public IntFunction<String> callIds(CommandId command) {
        return index -> shortIds
                ? alphanumeric(command.value() + index, 9)
                : "call_" + alphanumeric(command.value() + index, 24);
    }

    private static boolean offersTools(Conversation conversation) {
        return !conversation.tools().isEmpty() && !(conversation.choice() instanceof ToolChoice.None);
    }

    private static String alphanumeric(String seed, int length) {
        long state = 0xCBF29CE484222325L;
        for (char c : seed.toCharArray()) {
            state = (state ^ c) * 0x100000001B3L;
        }
        StringBuilder id = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            id.append(ALPHANUMERIC.charAt((int) Math.floorMod(state >>> 33, (long) ALPHANUMERIC.length())));
        }
        return id.toString();
    }
}
