package skulk.runner.mlx.shard;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import skulk.api.problem.Problem;
import skulk.runner.mlx.sample.Choice;
import skulk.runner.mlx.schedule.End;
import skulk.runner.mlx.schedule.SequenceOutput;
import skulk.runner.mlx.schedule.Tally;

/** The tokens of one sequence and when they came. */
final class Collected implements SequenceOutput {
    final List<Integer> tokens = new ArrayList<>();
    final List<Long> times = new ArrayList<>();
    volatile Optional<Problem> problem = Optional.empty();
    private final CountDownLatch done;

    Collected(CountDownLatch done) {
        this.done = done;
    }

    @Override
    public void admitted(int promptTokens, int cachedTokens) {}

    @Override
    public void prefilled(int count, int total) {}

    @Override
    public Optional<End> token(Choice choice) {
        return Optional.empty();
    }

    @Override
    public void committed(List<Integer> fresh) {
        tokens.addAll(fresh);
        fresh.forEach(token -> times.add(System.nanoTime()));
    }

    @Override
    public void ended(End end, Tally tally) {
        done.countDown();
    }

    @Override
    public void failed(Problem failure) {
        problem = Optional.of(failure);
        done.countDown();
    }
}
