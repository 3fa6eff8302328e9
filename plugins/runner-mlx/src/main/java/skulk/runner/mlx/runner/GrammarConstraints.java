package skulk.runner.mlx.runner;

import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.grammar.Grammars;
import skulk.runner.mlx.grammar.ToolCalls;
import skulk.runner.mlx.sample.Constraints;
import skulk.runner.mlx.sample.TokenMask;
import skulk.runner.mlx.text.OutputFormat;
import skulk.runner.mlx.text.OutputFormat.CallText;
import skulk.runner.mlx.text.Vocabulary;

/** Enforces output shapes and tool choices by grammar, behind the reasoning where the model reasons first. */
record GrammarConstraints(Grammars grammars, OutputFormat format, Vocabulary vocabulary) implements Constraints {

    @Override
    public Optional<TokenMask> mask(GenerationRequest request, String prompt, int budget) {
        Optional<List<Tool>> forced = forcedTools(request);
        if (forced.isPresent()) {
            ToolCalls calls = calls(forced.get(), parallel(request));
            return Optional.of(
                    deferred(request, format.startsCallsAfter(prompt), budget, left -> grammars.calls(calls, left)));
        }
        Optional<IntFunction<TokenMask>> shape = shape(request.output());
        return shape.map(make -> {
            // a schema that cannot be enforced is refused now, not behind the reasoning
            make.apply(budget);
            return deferred(request, format.startsContentAfter(prompt), budget, make);
        });
    }

    private Optional<IntFunction<TokenMask>> shape(OutputShape output) {
        return switch (output) {
            case OutputShape.FreeText free -> Optional.empty();
            case OutputShape.AnyJson any -> Optional.of(grammars::anyObject);
            case OutputShape.JsonSchema schema -> Optional.of(left -> grammars.schema(schema.schema(), left));
            case OutputShape.Regex regex -> Optional.of(left -> grammars.regex(regex.pattern(), left));
        };
    }

    private TokenMask deferred(
            GenerationRequest request, Optional<String> marker, int budget, IntFunction<TokenMask> make) {
        boolean chat = request.prompt() instanceof Conversation;
        return chat && marker.isPresent()
                ? new DeferredMask(vocabulary, marker.get(), budget, make)
                : make.apply(budget);
    }

    /** The tools of which one must be called, where one must. */
    private static Optional<List<Tool>> forcedTools(GenerationRequest request) {
        if (!(request.prompt() instanceof Conversation conversation)) {
            return Optional.empty();
        }
        return switch (conversation.choice()) {
            case ToolChoice.Auto auto -> Optional.empty();
            case ToolChoice.None none -> Optional.empty();
            case ToolChoice.Required required -> Optional.of(some(conversation.tools(), "tools are offered"));
            case ToolChoice.Named(String name) ->
                Optional.of(some(
                        conversation.tools().stream()
                                .filter(tool -> tool.name().equals(name))
                                .toList(),
                        "tool '" + name + "' is offered"));
        };
    }

    private static List<Tool> some(List<Tool> tools, String wanted) {
        if (tools.isEmpty()) {
            throw new SkulkException(Kind.USER_ERROR, "tool_choice forces a call, but no " + wanted);
        }
        return tools;
    }

    private static boolean parallel(GenerationRequest request) {
        return request.prompt() instanceof Conversation conversation
                && conversation.parallelToolCalls()
                && conversation.choice() instanceof ToolChoice.Required;
    }

    private ToolCalls calls(List<Tool> tools, boolean parallel) {
        List<ToolCalls.Call> calls = tools.stream()
                .map(tool -> {
                    CallText text = format.callText(tool.name());
                    return new ToolCalls.Call(text.head(), tool.parameters(), text.tail());
                })
                .toList();
        return new ToolCalls("", calls, "\n", "", parallel && format.severalCalls());
    }
}
