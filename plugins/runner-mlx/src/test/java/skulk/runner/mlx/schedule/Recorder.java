package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import skulk.api.problem.Problem;
import skulk.runner.mlx.sample.Choice;

/** Notes what happens to a sequence. */
final class Recorder implements SequenceOutput {
    final List<Integer> tokens = new ArrayList<>();
    final List<Integer> committed = new ArrayList<>();
    final List<Integer> prefills = new ArrayList<>();
    final CompletableFuture<Integer> admitted = new CompletableFuture<>();
    final CompletableFuture<End> end = new CompletableFuture<>();
    final CompletableFuture<Problem> problem = new CompletableFuture<>();
    volatile Optional<Tally> tally = Optional.empty();
    private final int forceAfter;
    private final List<Integer> forced;

    Recorder() {
        this(Integer.MAX_VALUE, List.of());
    }

    /** Forces tokens once it has seen {@code forceAfter}. */
    Recorder(int forceAfter, List<Integer> forced) {
        this.forceAfter = forceAfter;
        this.forced = forced;
    }

    @Override
    public List<Integer> forced() {
        return tokens.size() == forceAfter ? forced : List.of();
    }

    @Override
    public void admitted(int promptTokens, int cachedTokens) {
        if (!admitted.complete(cachedTokens)) {
            throw new AssertionError("admitted twice");
        }
    }

    @Override
    public void prefilled(int done, int total) {
        prefills.add(done);
    }

    @Override
    public Optional<End> token(Choice choice) {
        tokens.add(choice.token());
        return Optional.empty();
    }

    @Override
    public void committed(List<Integer> some) {
        committed.addAll(some);
    }

    @Override
    public void ended(End reason, Tally total) {
        tally = Optional.of(total);
        end.complete(reason);
    }

    @Override
    public void failed(Problem failure) {
        problem.complete(failure);
    }

    /** @throws java.util.concurrent.ExecutionException where the sequence failed */
    End awaitEnd() throws Exception {
        problem.thenAccept(failure -> end.completeExceptionally(new AssertionError(failure.toString())));
        return end.get(20, TimeUnit.SECONDS);
    }

    Problem awaitProblem() throws Exception {
        return problem.get(20, TimeUnit.SECONDS);
    }
}
