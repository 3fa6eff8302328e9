package skulk.runner.mlx.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.sample.Choice;
import skulk.runner.mlx.sample.Sampler;
import skulk.runner.mlx.sample.SamplingPlan;
import skulk.runner.mlx.schedule.End;
import skulk.runner.mlx.schedule.Job;
import skulk.runner.mlx.schedule.Scheduler;
import skulk.runner.mlx.schedule.SequenceOutput;
import skulk.runner.mlx.schedule.Tally;

/** Notes when the tokens of one sequence came. Filled on the scheduler's thread. */
final class Stream implements SequenceOutput {
    /** Tokens after which a stream runs steadily. */
    static final int WARM = 24;

    private final CountDownLatch done = new CountDownLatch(1);
    private final List<Long> times = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch warm = new CountDownLatch(WARM);
    private final Optional<Company> company;
    private int inCompany;
    private Optional<Problem> problem = Optional.empty();

    /** One that goes on for as long as it was asked to. */
    Stream() {
        this(Optional.empty());
    }

    /** @param company with whom it ends */
    Stream(Optional<Company> company) {
        this.company = company;
    }

    /** Random tokens, greedily. */
    void submit(Scheduler scheduler, int[] prompt, int most) {
        Sampler sampler = new Sampler(SamplingPlan.greedy(), prompt, Optional.empty(), Optional.empty());
        scheduler.submit(
                new Job("bench", prompt, new int[0], Optional.of(most), sampler, Set.of(), this, Optional.empty()));
    }

    @Override
    public void admitted(int promptTokens, int cachedTokens) {}

    @Override
    public void prefilled(int tokens, int total) {}

    @Override
    public Optional<End> token(Choice choice) {
        times.add(System.nanoTime());
        warm.countDown();
        return company.filter(this::over).map(c -> End.of(FinishReason.LENGTH));
    }

    private boolean over(Company others) {
        if (times.size() == 1) {
            others.begin();
        } else if (others.complete()) {
            inCompany++;
        }
        return inCompany >= others.tokens();
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
