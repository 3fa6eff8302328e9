package skulk.kernel.security;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import skulk.api.cluster.NodeId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * What each key has under way and has used lately, in the whole cluster as far as other nodes have told: {@link #own()} is what they are told,
 * {@link #heard} what they tell. Tokens are a bucket that holds a minute's worth and refills steadily; a generation is charged when it ends, when its cost is
 * known, so that the bucket can go below zero and then refuses until it is above again. Safe for use by several threads.
 */
public final class Quotas {
    private static final double NANOS_PER_MINUTE = Duration.ofMinutes(1).toNanos();

    private final Supplier<KeyRing> keys;
    private final LongSupplier nanoTime;
    private final Map<String, Meter> meters = new ConcurrentHashMap<>();
    private volatile Runnable changed = () -> {};

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
        Meter meter = meter(client);
        meter.begin(key.get());
        changed.run();
        return new Ticket(Optional.of(meter));
    }

    private Meter meter(String id) {
        return meters.computeIfAbsent(id, absent -> new Meter(absent, nanoTime.getAsLong()));
    }

    /**
     * What one node has done for a key.
     *
     * @param active pieces of work under way there
     * @param charged tokens charged there since it started; never falls, so that whoever misses a message knows them from the next
     * @param used what the minute's bucket lacks there, for whoever hears of that node for the first time
     */
    public record Use(int active, long charged, double used) {}

    /** Called after {@link #own()} has changed, on the thread that changed it; must not block. */
    public void onChange(Runnable listener) {
        changed = listener;
    }

    /** What this node has done, by key. */
    public Map<String, Use> own() {
        Map<String, Use> all = new HashMap<>();
        meters.forEach((id, meter) -> all.put(id, meter.own()));
        return all;
    }

    /** What another node has done, all of it, as it said last. */
    public void heard(NodeId node, Map<String, Use> uses) {
        uses.forEach((id, use) -> meter(id).heard(node, use));
    }

    /** Forgets what nodes have under way that are not here any more. */
    public void keepOnly(Collection<NodeId> nodes) {
        meters.values().forEach(meter -> meter.keepOnly(nodes));
    }

    /** One piece of work under way; closed once, by whichever thread ends it first. */
    public final class Ticket {
        private final Optional<Meter> meter;
        private final AtomicBoolean open = new AtomicBoolean(true);

        private Ticket(Optional<Meter> meter) {
            this.meter = meter;
        }

        /** Ends the work; further calls do nothing. */
        public void close(long tokens) {
            if (open.compareAndSet(true, false)) {
                meter.ifPresent(m -> {
                    m.end(tokens);
                    changed.run();
                });
            }
        }
    }

    private final class Meter {
        private final String id;
        private final Map<NodeId, Use> others = new HashMap<>();
        private int active;
        private long charged;
        private double used;
        private long at;

        Meter(String id, long now) {
            this.id = id;
            at = now;
        }

        synchronized void begin(ApiKey key) {
            ApiKey.Limits limits = key.limits();
            long perMinute = limits.tokensPerMinute();
            settle(perMinute);
            int everywhere =
                    active + others.values().stream().mapToInt(Use::active).sum();
            if (limits.maxConcurrent() > 0 && everywhere >= limits.maxConcurrent()) {
                throw overloaded(
                        "The API key %s has %d requests under way, its limit".formatted(id, everywhere),
                        Duration.ofSeconds(1));
            }
            if (perMinute > 0 && used >= perMinute) {
                double nanos = (used - perMinute + 1) * NANOS_PER_MINUTE / perMinute;
                throw overloaded(
                        "The API key %s has used its %d tokens per minute".formatted(id, perMinute),
                        Duration.ofSeconds((long) Math.ceil(nanos / 1e9)));
            }
            active++;
        }

        synchronized void end(long tokens) {
            settle(perMinute());
            active--;
            charged += tokens;
            used += tokens;
        }

        synchronized Use own() {
            settle(perMinute());
            return new Use(active, charged, used);
        }

        synchronized void heard(NodeId node, Use use) {
            settle(perMinute());
            Use before = others.put(node, use);
            used = before == null ? Math.max(used, use.used()) : used + Math.max(0, use.charged() - before.charged());
        }

        synchronized void keepOnly(Collection<NodeId> nodes) {
            others.keySet().retainAll(nodes);
        }

        private long perMinute() {
            return keys.get()
                    .byId(id)
                    .map(key -> key.limits().tokensPerMinute())
                    .orElse(0L);
        }

        private void settle(long perMinute) {
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
