package skulk.runner.mlx.runner;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import skulk.api.Drafter;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.runner.mlx.sample.Constraints;
import skulk.runner.mlx.sample.Sampler;
import skulk.runner.mlx.sample.SamplingPlan;
import skulk.runner.mlx.sample.TokenMask;
import skulk.runner.mlx.schedule.ContextLimit;
import skulk.runner.mlx.schedule.Job;
import skulk.runner.mlx.text.Detokenizer;
import skulk.runner.mlx.text.OutputAssembler;
import skulk.runner.mlx.text.OutputFormat;
import skulk.runner.mlx.text.Prompt;
import skulk.runner.mlx.text.TextModel;

/**
 * Makes a schedulable job of a request. Safe for use by several threads.
 *
 * @param format how the model writes reasoning and tool calls
 * @param constraints makes the token mask of a request
 * @param context how long sequences may become
 * @param drafters makes a drafter for one sequence, where there is one for the model
 */
record JobMaker(
        TextModel text,
        OutputFormat format,
        Constraints constraints,
        ContextLimit context,
        Supplier<Optional<Drafter>> drafters) {

    /** @throws skulk.api.problem.SkulkException where the request cannot be served as asked */
    Job make(GenerationRequest request, Consumer<GenerationEvent> events) {
        Prompt prompt = prompt(request);
        SamplingPlan plan = SamplingPlan.of(request.sampling(), text.config().defaults(), seed(request));
        int room = context.grant(prompt.tokens().length, request.maxTokens());
        Optional<TokenMask> mask = constraints.mask(request, prompt.text(), room);
        Sampler sampler = new Sampler(plan, prompt.tokens(), mask, request.logprobs());
        OutputAssembler.Shape shape = new OutputAssembler.Shape(
                sink -> format.parser(request, prompt.text(), sink),
                request.stop(),
                format.callIds(request.commandId()),
                parallelCalls(request));
        Detokenizer detokenizer = new Detokenizer(text.tokenizer(), format.visibleTokens(text.tokenizer(), request));
        detokenizer.follow(prompt.tokens());
        GenerationOutput output = new GenerationOutput(
                text.tokenizer().vocabulary(),
                budget(request),
                sink -> new OutputAssembler(detokenizer, shape, sink),
                events);
        request.committed().forEach(sampler::accept);
        output.replay(request.committed().stream()
                .filter(t -> !text.endTokens().contains(t))
                .toList());
        return new Job(
                request.client(),
                prompt.tokens(),
                request.committed().stream().mapToInt(Integer::intValue).toArray(),
                request.maxTokens(),
                sampler,
                text.endTokens(),
                output,
                drafters.get());
    }

    private GenerationOutput.ThinkingBudget budget(GenerationRequest request) {
        Optional<Integer> tokens = request.reasoning().budgetTokens();
        if (tokens.isEmpty() || format.endOfReasoning().isEmpty()) {
            return GenerationOutput.ThinkingBudget.NONE;
        }
        int[] close = text.tokenizer().encode(format.endOfReasoning().get(), false);
        return new GenerationOutput.ThinkingBudget(
                tokens.get(), Arrays.stream(close).boxed().toList());
    }

    Prompt prompt(GenerationRequest request) {
        return text.prompts().build(request.prompt(), request.reasoning());
    }

    private static boolean parallelCalls(GenerationRequest request) {
        return !(request.prompt() instanceof GenerationRequest.Prompt.Conversation conversation)
                || conversation.parallelToolCalls();
    }

    /** Unlike for every request, the same for a request that is resumed elsewhere. */
    private static long seed(GenerationRequest request) {
        long seed = 0;
        for (char c : request.commandId().value().toCharArray()) {
            seed = seed * 0x100000001B3L + c;
        }
        return seed;
    }
}
