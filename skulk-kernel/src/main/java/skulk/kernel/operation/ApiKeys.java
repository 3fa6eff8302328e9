package skulk.kernel.operation;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.http.Route.Scope;
import skulk.api.json.Json;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.cluster.ClusterNode;
import skulk.kernel.security.ApiKey;
import skulk.kernel.security.KeyStore;
import skulk.kernel.security.StoredKeys;

/**
 * The operations on API keys, and how they come to count on every node: a change is told to all members before its caller hears of it, and with each member
 * that is new everything known is exchanged, until that has worked once.
 */
final class ApiKeys {
    private static final System.Logger LOG = System.getLogger(ApiKeys.class.getName());
    private static final String TOPIC = "api-keys";
    /** Longest wait for members that do not answer; what they missed they learn when they are members again. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final Kit kit;
    private final Peers peers;
    private final KeyStore keys;
    /** Members that know what this node knows, or are being told. */
    private final Set<NodeId> told = ConcurrentHashMap.newKeySet();

    ApiKeys(Kit kit, Peers peers) {
        this.kit = kit;
        this.peers = peers;
        this.keys = kit.node().control().keys();
        kit.cluster()
                .calls()
                .answer(TOPIC, body -> keys.merge(StoredKeys.fromJson(body)).toJson());
        kit.cluster().views().subscribe(ClusterNode.each(this::members));
    }

    private void members(ClusterView view) {
        told.retainAll(view.members());
        for (NodeId node : view.members()) {
            if (!peers.isSelf(node) && told.add(node)) {
                exchange(node);
            }
        }
    }

    private void exchange(NodeId node) {
        kit.cluster()
                .calls()
                .askLater(node, TOPIC, keys.stored().toJson())
                .orTimeout(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .thenAccept(theirs -> keys.merge(StoredKeys.fromJson(theirs)))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        LOG.log(Level.DEBUG, "API keys were not exchanged with {0}: {1}", node, failure);
                        told.remove(node); // tried again with the next view
                    }
                });
    }

    /** Tells all members what changed here. Those that do not answer in time are told again. */
    private void tellAll() {
        Json body = keys.stored().toJson();
        peers.askAll(TOPIC, body, PATIENCE).forEach((node, answer) -> {
            if (!answer.ok()) {
                LOG.log(Level.WARNING, "Node {0} has not heard of a change of API keys yet: {1}", node, answer.error());
                told.remove(node);
            }
        });
    }

    List<Operation.ApiKey> list() {
        return keys.ring().keys().stream()
                .map(key -> shown(key, Optional.empty()))
                .toList();
    }

    Operation.ApiKey create(Operation.CreateApiKey asked) {
        Set<Scope> scopes = new HashSet<>();
        for (String word : asked.scopes()) {
            scopes.add(ApiKey.scope(word)
                    .orElseThrow(() -> new SkulkException(
                            Problem.Kind.USER_ERROR,
                            "scopes: unknown scope " + word + "; there are infer, place, admin")));
        }
        if (scopes.isEmpty()) {
            throw new SkulkException(Problem.Kind.USER_ERROR, "scopes: at least one of infer, place, admin is needed");
        }
        KeyStore.Created created =
                keys.create(asked.id(), scopes, new ApiKey.Limits(asked.maxConcurrent(), asked.tokensPerMinute()));
        tellAll();
        return shown(created.kept(), Optional.of(created.key()));
    }

    boolean delete(String id) {
        boolean found = keys.delete(id);
        if (found) {
            tellAll();
        }
        return found;
    }

    private static Operation.ApiKey shown(ApiKey key, Optional<String> secret) {
        return new Operation.ApiKey(
                key.id(),
                secret,
                key.scopeWords(),
                key.limits().maxConcurrent(),
                key.limits().tokensPerMinute(),
                key.createdAt());
    }
}
