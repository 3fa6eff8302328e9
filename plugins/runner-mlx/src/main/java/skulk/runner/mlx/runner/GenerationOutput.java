package skulk.runner.mlx.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.problem.Problem;
import skulk.runner.mlx.sample.Choice;
import skulk.runner.mlx.schedule.End;
import skulk.runner.mlx.schedule.SequenceOutput;
import skulk.runner.mlx.schedule.Tally;
import skulk.runner.mlx.text.OutputAssembler;
import skulk.runner.mlx.text.Vocabulary;

/** Turns what the scheduler tells of one sequence into the events of its request. */
final class GenerationOutput implements SequenceOutput {
    private final Vocabulary vocabulary;
    private final Consumer<GenerationEvent> events;
    private final OutputAssembler assembler;
    private final ThinkingBudget budget;
    /** Tokens whose log probabilities are not out yet: whoever resumes the request asks for them again. */
    private final List<Integer> uncommitted = new ArrayList<>();

    private Optional<End> replayed = Optional.empty();
    private int known;
    private boolean silent;
    private boolean closed;

    /**
     * How long the model may think.
     *
     * @param tokens most tokens of reasoning
     * @param close what is put in when they are used up
     */
    record ThinkingBudget(int tokens, List<Integer> close) {
        static final ThinkingBudget NONE = new ThinkingBudget(Integer.MAX_VALUE, List.of());
    }

    /** @param assembler makes the assembler that sends its events to the consumer it is given */
    GenerationOutput(
            Vocabulary vocabulary,
            ThinkingBudget budget,
            Function<Consumer<GenerationEvent>, OutputAssembler> assembler,
            Consumer<GenerationEvent> events) {
        this.vocabulary = vocabulary;
        this.budget = budget;
        this.events = events;
        this.assembler = assembler.apply(this::send);
    }

    private void send(GenerationEvent event) {
        if (!silent) {
            events.accept(event);
        }
    }

    /** Takes in tokens whose text the client has already: a resumed request. An end token is not among them. */
    void replay(List<Integer> tokens) {
        silent = true;
        for (int token : tokens) {
            if (assembler.push(token, Optional.empty())) {
                replayed = Optional.of(new End(FinishReason.STOP, assembler.stopSequence()));
            }
            forced(); // what was put in then is among the tokens
        }
        known = tokens.size();
        silent = false;
    }

    @Override
    public Optional<End> replayed() {
        return replayed;
    }

    @Override
    public void admitted(int promptTokens, int cachedTokens) {
        send(new GenerationEvent.Accepted(promptTokens, cachedTokens));
    }

    @Override
    public void prefilled(int tokens, int total) {
        send(new GenerationEvent.Prefill(tokens, total));
    }

    @Override
    public Optional<End> token(Choice choice) {
        Optional<TokenLogprob> logprob = choice.logprob().map(ranked -> logprob(choice.token(), ranked));
        if (!assembler.push(choice.token(), logprob)) {
            return Optional.empty();
        }
        return Optional.of(new End(FinishReason.STOP, assembler.stopSequence()));
    }

    @Override
    public List<Integer> forced() {
        if (closed || !assembler.reasoning() || assembler.reasoningTokens() < budget.tokens) {
            return List.of();
        }
        closed = true;
        return budget.close;
    }

    @Override
    public void committed(List<Integer> tokens) {
        uncommitted.addAll(tokens);
        if (assembler.settled()) {
            commit();
        }
    }

    private void commit() {
        if (!uncommitted.isEmpty()) {
            send(new GenerationEvent.Committed(uncommitted));
            uncommitted.clear();
        }
    }

    @Override
    public void ended(End end, Tally tally) {
        assembler.finish();
        commit();
        boolean called = assembler.calls() > 0
                && end.reason() == FinishReason.STOP
                && end.stopSequence().isEmpty();
        // the last words may have completed a stop string
        Optional<String> stop = end.stopSequence().or(assembler::stopSequence);
        FinishReason reason = called ? FinishReason.TOOL_CALLS : stop.isPresent() ? FinishReason.STOP : end.reason();
        send(new GenerationEvent.Finished(reason, stop, usage(tally), stats(tally, known)));
    }

    private GenerationEvent.Usage usage(Tally tally) {
        return new GenerationEvent.Usage(
                tally.promptTokens(),
                tally.generated(),
                tally.cachedTokens(),
                assembler.reasoningTokens(),
                tally.acceptedDraft(),
                tally.rejectedDraft());
    }

    private static GenerationEvent.Stats stats(Tally tally, int known) {
        return new GenerationEvent.Stats(
                perSecond(tally.promptTokens() - tally.cachedTokens(), tally.prefillNanos()),
                perSecond(tally.generated() - known - 1, tally.decodeNanos()),
                PeakMemory.bytes(),
                tally.inFlight(),
                tally.batches());
    }

    private static double perSecond(int tokens, long nanos) {
        return nanos <= 0 ? 0 : Math.max(0, tokens) * 1e9 / nanos;
    }

    @Override
    public void failed(Problem problem) {
        send(new GenerationEvent.Failed(problem));
    }

    private TokenLogprob logprob(int token, Choice.Ranked ranked) {
        List<TokenLogprob> top = ranked.top().stream()
                .map(alternative -> logprob(alternative.token(), alternative.logprob(), List.of()))
                .toList();
        return logprob(token, ranked.chosen(), top);
    }

    private TokenLogprob logprob(int token, double logprob, List<TokenLogprob> top) {
        byte[] bytes = vocabulary.bytes(token);
        List<Integer> unsigned = new ArrayList<>(bytes.length);
        for (byte b : bytes) {
            unsigned.add(Byte.toUnsignedInt(b));
        }
        return new TokenLogprob(vocabulary.text(token), logprob, unsigned, top);
    }
}
