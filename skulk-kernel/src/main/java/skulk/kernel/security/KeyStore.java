package skulk.kernel.security;

import java.util.Set;
import skulk.api.http.Route.Scope;

/**
 * The API keys that count on this node: those of the configuration, which only the file changes, and stored ones, which the admin endpoint makes and removes.
 * Whoever makes keys count on every node of a cluster hands what {@link #stored} says here to {@link #merge} there. Safe for use by several threads.
 */
public interface KeyStore {

    /** The keys that count now. */
    KeyRing ring();

    /** The keys that the admin endpoint made, here or on another node. */
    StoredKeys stored();

    /**
     * Makes a key and stores its hash before it returns.
     *
     * @throws skulk.api.problem.SkulkException CONFLICT where the id is taken, USER_ERROR where it is not one, OUT_OF_RESOURCES where the file cannot be
     *     written
     */
    Created create(String id, Set<Scope> scopes, ApiKey.Limits limits);

    /**
     * Removes a stored key; requests with it are refused from now on, those under way go on.
     *
     * @return false where no key has that id
     * @throws skulk.api.problem.SkulkException CONFLICT for a key of the configuration, OUT_OF_RESOURCES where the file cannot be written
     */
    boolean delete(String id);

    /**
     * Learns what another node knows of stored keys, and stores it before it returns. Keys of this node's configuration win over stored ones of the same id.
     *
     * @return what both know
     * @throws skulk.api.problem.SkulkException OUT_OF_RESOURCES where the file cannot be written
     */
    StoredKeys merge(StoredKeys other);

    /** @param key the secret, which is nowhere else */
    record Created(ApiKey kept, String key) {}
}
