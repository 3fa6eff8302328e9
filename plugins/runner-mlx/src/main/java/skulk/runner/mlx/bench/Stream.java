package skulk.runner.mlx.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.sample.Choice;
import skulk.runner.mlx.schedule.End;
import skulk.runner.mlx.schedule.SequenceOutput;
import skulk.runner.mlx.schedule.Tally;

/** Notes when the tokens of one sequence came. Filled on the scheduler's thread. */
final class Stream implements SequenceOutput {
    /** Tokens after which a stream runs steadily. */
    static final int WARM = 24;

    private final CountDownLatch done = new CountDownLatch(1);
    private final List<Long> times = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch warm = new CountDownLatch(WARM);
    private Optional<Problem> problem = Optional.empty();

    @Override
    public void admitted(int promptTokens, int cachedTokens) {}

    @Override
    public void prefilled(int tokens, int total) {}

    @Override
    public Optional<End> token(Choice choice) {
        times.add(System.nanoTime());
        warm.countDown();
        return Optional.empty();
    }

    @Override
    public void committed(List<Integer> tokens) {}

    @Override
    public void ended(End end, Tally tally) {
        done.countDown();
    }

    @Override
    public void failed(Problem failure) {
        problem = Optional.of(failure);
        done.countDown();
    }

    /** Waits for the first {@link #WARM} tokens. */
    void awaitWarm() throws InterruptedException {
        warm.await();
    }

    /** When the tokens so far came. Any thread. */
    List<Long> timesSoFar() {
        synchronized (times) {
            return List.copyOf(times);
        }
    }

    /** When each token came ({@link System#nanoTime}), at least one. */
    List<Long> await() throws InterruptedException {
        done.await();
        problem.ifPresent(p -> {
            throw new SkulkException(p);
        });
        return times;
    }
}
