package skulk.runner.mlx.schedule;

import java.util.Optional;
import skulk.api.Drafter;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;

/** Looks at what is submitted: refuses what cannot be served, ends what has nothing left to generate, queues the rest. Any thread. */
final class Reception {
    private final Scheduler.Options options;
    private final int vocab;
    private final WaitingRoom waiting;
    private final Counters counters;

    /** @param vocab number of tokens that the model knows */
    Reception(Scheduler.Options options, int vocab, WaitingRoom waiting, Counters counters) {
        this.options = options;
        this.vocab = vocab;
        this.waiting = waiting;
        this.counters = counters;
    }

    /** As {@link Scheduler#submit}. */
    Scheduler.Ticket submit(Job job) {
        try {
            check(job.prompt());
            int granted = options.context().grant(job.prompt().length, job.maxTokens());
            Optional<End> end = endBefore(job, granted);
            return end.isPresent() ? endedAlready(job, end.get()) : enqueue(job, granted);
        } catch (SkulkException e) {
            job.drafter().ifPresent(Drafter::close);
            job.output().failed(e.problem());
            return () -> {};
        }
    }

    private void check(int[] prompt) {
        if (prompt.length == 0) {
            throw new SkulkException(Kind.USER_ERROR, "the prompt is empty: there is nothing to generate from");
        }
        for (int token : prompt) {
            if (token < 0 || token >= vocab) {
                throw new SkulkException(
                        Kind.USER_ERROR, "token " + token + " is outside the model's vocabulary of " + vocab);
            }
        }
    }

    /** Why a request that was lost just before its end has nothing left to generate. */
    private static Optional<End> endBefore(Job job, int granted) {
        int[] committed = job.committed();
        boolean ended = committed.length > 0 && job.endTokens().contains(committed[committed.length - 1]);
        if (ended || (committed.length > 0 && job.sampler().complete())) {
            return Optional.of(End.of(FinishReason.STOP));
        }
        return job.output()
                .replayed()
                .or(() -> committed.length >= granted ? Optional.of(End.of(FinishReason.LENGTH)) : Optional.empty());
    }

    private Scheduler.Ticket endedAlready(Job job, End end) {
        Tally tally =
                new Tally(job.prompt().length, 0, job.committed().length, 0, 0, 0, 0, 0, options.maxConcurrent() > 1);
        job.drafter().ifPresent(Drafter::close);
        job.output().admitted(job.prompt().length, 0);
        job.output().ended(end, tally);
        return () -> {};
    }

    private Scheduler.Ticket enqueue(Job job, int granted) {
        WaitingRoom.Entry entry = waiting.enter(job, granted);
        for (Sequence displaced : entry.displaced()) {
            counters.overloaded.increment();
            displaced.stopDrafting();
            displaced.tell(output -> output.failed(entry.overload()));
        }
        Sequence sequence = entry.sequence().orElseThrow(() -> {
            counters.overloaded.increment();
            return new SkulkException(entry.overload());
        });
        return () -> {
            sequence.cancelled = true;
            waiting.wake();
        };
    }
}
