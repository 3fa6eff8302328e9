package skulk.kernel.operation;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import skulk.api.http.Route.Scope;
import skulk.api.operation.Operation;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.security.ApiKey;
import skulk.kernel.security.KeyStore;

/** The operations on API keys. */
final class ApiKeys {
    private final KeyStore keys;

    ApiKeys(KeyStore keys) {
        this.keys = keys;
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
        KeyStore.Created created = keys.create(asked.id(), scopes, ApiKey.Limits.NONE);
        return shown(created.kept(), Optional.of(created.key()));
    }

    boolean delete(String id) {
        return keys.delete(id);
    }

    private static Operation.ApiKey shown(ApiKey key, Optional<String> secret) {
        return new Operation.ApiKey(key.id(), secret, key.scopeWords(), key.createdAt());
    }
}
