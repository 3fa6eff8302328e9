package skulk.kernel.security;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * What each key has under way and has used lately, on this node. Tokens are a bucket that holds a minute's worth and refills steadily; a generation is charged
 * when it ends, when its cost is known, so that the bucket can go below zero and then refuses until it is above again. Safe for use by several threads.
 */
public final class Quotas {
    private static final double NANOS_PER_MINUTE = Duration.ofMinutes(1).toNanos();

    private final Supplier<KeyRing> keys;
    private final LongSupplier nanoTime;
    private final Map<String, Meter> meters = new ConcurrentHashMap<>();

    /** @param nanoTime as {@link System#nanoTime()} */
    public Quotas(Supplier<KeyRing> keys, LongSupplier nanoTime) {
        this.keys = keys;
        this.nanoTime = nanoTime;
    }

    /**
     * Lets one piece of work of a client begin.
     *
     * @param client the id of an API key; others, which are addresses, have no limits
     * @throws SkulkException OVERLOADED with the time after which trying again makes sense
     */
    public Ticket admit(String client) {
        Optional<ApiKey> key = keys.get().byId(client).filter(k -> !k.limits().equals(ApiKey.Limits.NONE));
        if (key.isEmpty()) {
            return new Ticket(Optional.empty());
        }
        Meter meter = meters.computeIfAbsent(client, id -> new Meter(nanoTime.getAsLong()));
        meter.begin(key.get());
        return new Ticket(Optional.of(meter));
    }

    /** One piece of work under way; closed once, by whichever thread ends it first. */
    public static final class Ticket {
        private final Optional<Meter> meter;
        private final AtomicBoolean open = new AtomicBoolean(true);

        private Ticket(Optional<Meter> meter) {
            this.meter = meter;
        }

        /** Ends the work; further calls do nothing. */
        public void close(long tokens) {
            if (open.compareAndSet(true, false)) {
                meter.ifPresent(m -> m.end(tokens));
            }
        }
    }

    private final class Meter {
        private int active;
        private double used;
        private long at;
        private long perMinute;

        Meter(long now) {
            at = now;
        }

        synchronized void begin(ApiKey key) {
            ApiKey.Limits limits = key.limits();
            perMinute = limits.tokensPerMinute();
            settle();
            if (limits.maxConcurrent() > 0 && active >= limits.maxConcurrent()) {
                throw overloaded(
                        "The API key %s has %d requests under way, its limit".formatted(key.id(), active),
                        Duration.ofSeconds(1));
            }
            if (perMinute > 0 && used >= perMinute) {
                double nanos = (used - perMinute + 1) * NANOS_PER_MINUTE / perMinute;
                throw overloaded(
                        "The API key %s has used its %d tokens per minute".formatted(key.id(), perMinute),
                        Duration.ofSeconds((long) Math.ceil(nanos / 1e9)));
            }
            active++;
        }

        synchronized void end(long tokens) {
            settle();
            active--;
            used += tokens;
        }

        private void settle() {
            long now = nanoTime.getAsLong();
            used = Math.max(0, used - perMinute * ((now - at) / NANOS_PER_MINUTE));
            at = now;
        }
    }

    private static SkulkException overloaded(String message, Duration after) {
        return new SkulkException(Problem.of(Problem.Kind.OVERLOADED, "rate_limit_exceeded", message)
                .retryAfter(after));
    }
}
