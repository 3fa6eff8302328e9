package skulk.kernel.operation;

import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.json.Json;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.kernel.cluster.ClusterNode;
import skulk.kernel.security.Quotas;

/**
 * How the limits of a key come to count over all nodes: each tells all others what it has under way and has charged whenever that changes, one message at a
 * time, so that what changes meanwhile goes with the next. Nobody is asked before a request begins: no request waits for another node, and the limit gives way
 * by what begins at several nodes within the time of one message.
 */
final class KeyUsage {
    private static final System.Logger LOG = System.getLogger(KeyUsage.class.getName());
    private static final String TOPIC = "key-usage";
    private static final long PATIENCE_SECONDS = 2;
    private static final long AGAIN_SECONDS = 1;
    /** A member that does not answer for longer is none any more, and hears everything when it is one again. */
    private static final int MOST_TIMES = 10;

    private final Kit kit;
    private final Quotas quotas;
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong turns = new AtomicLong();
    /** The newest turn heard of each member; answers are given on threads that may overtake each other. */
    private final Map<NodeId, Long> heard = new HashMap<>();

    KeyUsage(Kit kit) {
        this.kit = kit;
        this.quotas = kit.node().control().quotas();
        kit.cluster().calls().answer(TOPIC, this::hear);
        quotas.onChange(this::changed);
        kit.cluster().views().subscribe(ClusterNode.each(this::members));
    }

    private void members(ClusterView view) {
        synchronized (heard) {
            heard.keySet().retainAll(view.members());
        }
        quotas.keepOnly(view.members());
        changed();
    }

    private Json hear(Json body) {
        JsonObject said = (JsonObject) body;
        NodeId node = new NodeId(said.string("node").orElseThrow());
        long turn = said.integer("turn").orElseThrow();
        synchronized (heard) {
            if (heard.getOrDefault(node, 0L) < turn) {
                heard.put(node, turn);
                quotas.heard(node, uses(said.object("keys").orElseThrow()));
            }
        }
        return Json.NULL;
    }

    private static Map<String, Quotas.Use> uses(JsonObject keys) {
        Map<String, Quotas.Use> uses = new HashMap<>();
        for (String id : keys.members().keySet()) {
            JsonObject use = keys.object(id).orElseThrow();
            uses.put(
                    id,
                    new Quotas.Use(
                            use.integer("active").orElseThrow().intValue(),
                            use.integer("charged").orElseThrow(),
                            use.number("used").orElseThrow()));
        }
        return uses;
    }

    private void changed() {
        if (pending.getAndIncrement() == 0) {
            tell(1);
        }
    }

    /** Tells all others, then again where something has changed meanwhile, or later where somebody did not answer. */
    private void tell(int time) {
        int changes = pending.get();
        JsonObject body = own();
        CompletableFuture<?>[] answers = kit.cluster().view().members().stream()
                .filter(node -> !node.equals(kit.node().self()))
                .map(node -> ask(node, body))
                .toArray(CompletableFuture<?>[]::new);
        CompletableFuture.allOf(answers).whenComplete((done, failure) -> {
            if (failure != null && time < MOST_TIMES) {
                LOG.log(Level.DEBUG, "The use of API keys was not told everybody: {0}", failure);
                CompletableFuture.delayedExecutor(AGAIN_SECONDS, TimeUnit.SECONDS)
                        .execute(() -> tell(time + 1));
            } else if (pending.addAndGet(-changes) > 0) {
                tell(1);
            }
        });
    }

    private JsonObject own() {
        JsonObject.Builder keys = JsonObject.builder();
        quotas.own()
                .forEach((id, use) -> keys.put(
                        id,
                        JsonObject.builder()
                                .put("active", use.active())
                                .put("charged", use.charged())
                                .put("used", JsonNumber.of(use.used()))
                                .build()));
        return JsonObject.builder()
                .put("node", kit.node().self())
                .put("turn", turns.incrementAndGet())
                .put("keys", keys.build())
                .build();
    }

    private CompletableFuture<Json> ask(NodeId node, JsonObject body) {
        try {
            return kit.cluster().calls().askLater(node, TOPIC, body).orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e); // the membership is not there, or no more
        }
    }
}
