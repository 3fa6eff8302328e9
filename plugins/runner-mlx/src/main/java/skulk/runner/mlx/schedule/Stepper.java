package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.runner.mlx.kernel.Backend;
import skulk.runner.mlx.model.Logits;
import skulk.runner.mlx.sample.Choice;
import skulk.runner.mlx.sample.Workspace;

/** Runs steps: computes the shares, chooses tokens, hands them out. Driver thread only. */
final class Stepper {
    private static final System.Logger LOG = System.getLogger(Stepper.class.getName());
    private static final int DRAFTS_PER_LOG_LINE = 32;

    /** What a sequence's part of a step led to. */
    interface Outcome {
        void ended(Sequence sequence, End end);

        void failed(Sequence sequence, RuntimeException cause);
    }

    private final SharedCache cache;
    private final ChunkPolicy policy;
    private final Counters counters;
    private final Logits logits = new Logits();
    private final Workspace work = new Workspace(Backend.best().rows());
    private long draftsLogged;
    private long finished = Long.MIN_VALUE;

    Stepper(SharedCache cache, ChunkPolicy policy, Counters counters) {
        this.cache = cache;
        this.policy = policy;
        this.counters = counters;
    }

    /** Adds guesses to the shares of streams that have a drafter. */
    List<Share> withDrafts(List<Share> shares) {
        return shares.stream().map(this::withDrafts).toList();
    }

    private Share withDrafts(Share share) {
        Sequence sequence = share.sequence();
        int most = sequence.maxTokens - sequence.generated - 1;
        if (!sequence.decoding() || most <= 0 || sequence.drafting().isEmpty()) {
            return share;
        }
        try {
            return new Share(sequence, share.count(), sequence.drafting().get().propose(most, policy.draftRowCost()));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "a drafter failed and is not asked again", e);
            sequence.stopDrafting();
            return share;
        }
    }

    /**
     * Begins a step; the sequences count its tokens as computed, and those that reach their end wait for their next.
     *
     * @throws RuntimeException where the decoder refused the step; no sequence has changed then
     */
    Flight begin(List<Share> shares) {
        long now = System.nanoTime();
        Flight flight =
                new Flight(shares, cache.begin(shares.stream().map(Share::slice).toList()), now);
        for (Share share : shares) {
            share.sequence().computed += share.rows();
            share.sequence().awaiting = share.reachesEnd();
            share.sequence().steppedAt = now;
        }
        return flight;
    }

    /**
     * Waits for the oldest step under way and hands out the tokens.
     *
     * @throws RuntimeException where the decoder refused the step; no sequence has changed then
     */
    void finish(Flight flight, Outcome outcome) {
        List<Share> shares = flight.shares();
        try {
            flight.pending().finish(logits);
        } catch (RuntimeException e) {
            shares.stream().filter(share -> !share.stale()).forEach(Stepper::takeBack);
            throw e;
        }
        long now = System.nanoTime();
        observe(shares, now - Math.max(flight.begun(), finished));
        finished = now;
        int row = 0;
        for (Share share : shares) {
            if (!share.stale()) {
                try {
                    take(share, row).ifPresent(end -> outcome.ended(share.sequence(), end));
                } catch (RuntimeException e) {
                    outcome.failed(share.sequence(), e);
                }
            }
            row += share.logitRows();
        }
    }

    private static void takeBack(Share share) {
        share.sequence().computed -= share.rows();
        share.sequence().awaiting = false;
    }

    /** Begins and finishes a step. @throws RuntimeException as {@link #begin} and {@link #finish} */
    void run(List<Share> shares, Outcome outcome) {
        finish(begin(shares), outcome);
    }

    private void observe(List<Share> shares, long nanos) {
        int prefill = 0;
        int drafts = 0;
        int decode = 0;
        for (Share share : shares) {
            if (share.decoding()) {
                decode++;
                drafts += share.drafts().length;
            } else {
                prefill += share.count();
            }
        }
        counters.steps.increment();
        counters.promptTokens.add(prefill);
        counters.batch.observe(shares.size());
        policy.observe(new ChunkPolicy.Rows(decode, drafts, prefill), nanos);
    }

    private Optional<End> take(Share share, int firstRow) {
        Sequence sequence = share.sequence();
        if (share.reachesEnd()) {
            sequence.awaiting = false;
        }
        if (!share.decoding() && sequence.generated == sequence.job.committed().length) {
            int done = Math.min(sequence.computed, sequence.promptTokens());
            sequence.job.output().prefilled(done, sequence.promptTokens());
        }
        Optional<End> end = share.reachesEnd() ? choose(share, firstRow) : Optional.empty();
        cache.offer(sequence);
        return end;
    }

    /**
     * Chooses one token per row for as long as the guesses were right. A wrong guess costs nothing but its row: the
     * token chosen instead has the model's own distribution, which for guesses without probabilities is what rejection
     * sampling with residual comes to, and the same random number as without speculation, so that the output is
     * identical.
     */
    private Optional<End> choose(Share share, int firstRow) {
        Sequence sequence = share.sequence();
        int[] drafts = share.drafts();
        List<Integer> fresh = new ArrayList<>(1 + drafts.length);
        Optional<End> end = Optional.empty();
        int right = 0;
        boolean first = !sequence.begun();
        long before = sequence.lastTokenAt();
        for (int i = 0; i <= drafts.length && end.isEmpty(); i++) {
            Choice choice = sequence.job.sampler().choose(logits, firstRow + i, work);
            end = commit(sequence, choice, fresh);
            if (i == drafts.length || choice.token() != drafts[i]) {
                break;
            }
            right++;
        }
        if (drafts.length > 0) {
            verified(sequence, drafts.length, right);
        }
        for (int token : end.isEmpty() ? sequence.job.output().forced() : List.<Integer>of()) {
            if (end.isEmpty()) {
                end = commit(sequence, new Choice(token, Optional.empty()), fresh);
            }
        }
        // tokens behind the last right guess were not what was chosen
        int valid = sequence.computed - (drafts.length - right);
        if (sequence.computed > valid) {
            cache.truncate(sequence, valid);
        }
        counters.outputTokens.add(fresh.size());
        (first ? counters.firstToken : counters.betweenTokens).observeNanos(sequence.lastTokenAt() - before);
        sequence.job.output().committed(fresh);
        sequence.drafting()
                .ifPresent(drafting -> drafting.committed(
                        fresh.stream().mapToInt(Integer::intValue).toArray()));
        return end;
    }

    private static Optional<End> commit(Sequence sequence, Choice choice, List<Integer> fresh) {
        sequence.job.sampler().accept(choice.token());
        sequence.append(choice.token());
        fresh.add(choice.token());
        return after(sequence, choice);
    }

    private static Optional<End> after(Sequence sequence, Choice choice) {
        Job job = sequence.job;
        if (job.endTokens().contains(choice.token())) {
            return Optional.of(End.of(FinishReason.STOP));
        }
        Optional<End> stopped = job.output().token(choice);
        if (stopped.isPresent()) {
            return stopped;
        }
        if (job.sampler().complete()) {
            return Optional.of(End.of(FinishReason.STOP));
        }
        return sequence.generated >= sequence.maxTokens ? Optional.of(End.of(FinishReason.LENGTH)) : Optional.empty();
    }

    private void verified(Sequence sequence, int drafted, int right) {
        sequence.drafting().ifPresent(drafting -> drafting.verified(drafted, right));
        counters.acceptedDrafts.add(right);
        counters.rejectedDrafts.add(drafted - right);
        long accepted = counters.acceptedDrafts.sum();
        long all = accepted + counters.rejectedDrafts.sum();
        if (all / DRAFTS_PER_LOG_LINE > draftsLogged) {
            draftsLogged = all / DRAFTS_PER_LOG_LINE;
            LOG.log(
                    System.Logger.Level.INFO,
                    "MTP acceptance so far: %d/%d (%.0f%%)".formatted(accepted, all, 100.0 * accepted / all));
        }
    }
}
