package skulk.runner.mlx.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** One sequence on its way. Scheduler thread only, but for {@link #cancelled}. */
final class Sequence {
    private static final System.Logger LOG = System.getLogger(Sequence.class.getName());

    final long id;
    final Job job;
    final int maxTokens;
    volatile boolean cancelled;

    /** Prompt and output so far; those before {@link #computed} are in the cache. */
    private int[] tokens;

    private int length;
    int computed;
    int generated;
    int cachedTokens;
    boolean open;
    /** How often it was opened: what a step brings is for the opening that it was begun for. */
    int openings;
    /** A step under way brings its next token. */
    boolean awaiting;
    /** When its last step was begun. */
    long steppedAt = Long.MIN_VALUE;
    /** Keys of full blocks, as far as they are known. */
    List<BlockKey> keys = new ArrayList<>();
    /** Full blocks offered to the prefix cache so far. */
    int offered;

    int inFlight;
    private final long submittedAt = System.nanoTime();
    private long admittedAt;
    private long firstTokenAt;
    private long lastTokenAt;
    private Optional<Drafting> drafting;

    Sequence(long id, Job job, int maxTokens) {
        this.id = id;
        this.job = job;
        this.maxTokens = maxTokens;
        this.length = job.prompt().length + job.committed().length;
        this.tokens = Arrays.copyOf(job.prompt(), length + Math.min(maxTokens, 256));
        System.arraycopy(job.committed(), 0, tokens, job.prompt().length, job.committed().length);
        this.generated = job.committed().length;
        this.drafting = job.drafter().map(drafter -> new Drafting(drafter, Arrays.copyOf(tokens, length)));
    }

    int promptTokens() {
        return job.prompt().length;
    }

    int length() {
        return length;
    }

    /** Tokens that are known but not in the cache; 1 while decoding. */
    int remaining() {
        return length - computed;
    }

    /** Whether it brings out tokens, now or with the step under way. */
    boolean streaming() {
        return awaiting || decoding();
    }

    boolean decoding() {
        return remaining() == 1 && generated > 0;
    }

    int[] tokens(int from, int count) {
        return Arrays.copyOfRange(tokens, from, from + count);
    }

    /** All tokens; valid up to {@link #length()}. */
    int[] tokens() {
        return tokens;
    }

    void append(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, length * 2);
        }
        tokens[length++] = token;
        generated++;
        lastTokenAt = System.nanoTime();
        if (firstTokenAt == 0) {
            firstTokenAt = lastTokenAt;
        }
    }

    /** @return whether this is the first time */
    boolean admitted(int inFlightNow) {
        if (admittedAt != 0) {
            return false;
        }
        inFlight = inFlightNow;
        admittedAt = System.nanoTime();
        return true;
    }

    /** Nanoseconds from submission to admission. */
    long queuedNanos() {
        return admittedAt - submittedAt;
    }

    /** {@link System#nanoTime()} of its first place in the batch. */
    long admittedAt() {
        return admittedAt;
    }

    /** When its newest token was chosen; its submission before the first. */
    long lastTokenAt() {
        return lastTokenAt == 0 ? submittedAt : lastTokenAt;
    }

    /** Whether it has brought out a token since it was submitted. */
    boolean begun() {
        return firstTokenAt != 0;
    }

    Optional<Drafting> drafting() {
        return drafting;
    }

    /** A drafter that failed is not asked again. */
    void stopDrafting() {
        drafting.ifPresent(Drafting::close);
        drafting = Optional.empty();
    }

    /** A listener that throws hurts its own request alone. */
    void tell(Consumer<SequenceOutput> event) {
        try {
            event.accept(job.output());
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "the listener of a request failed", e);
            cancelled = true;
        }
    }

    /** @param batches whether sequences are decoded together */
    Tally tally(boolean batches) {
        long first = firstTokenAt == 0 ? System.nanoTime() : firstTokenAt;
        return new Tally(
                promptTokens(),
                cachedTokens,
                generated,
                drafting.map(Drafting::accepted).orElse(0),
                drafting.map(Drafting::rejected).orElse(0),
                first - admittedAt,
                Math.max(0, lastTokenAt - first),
                inFlight,
                batches);
    }
}
