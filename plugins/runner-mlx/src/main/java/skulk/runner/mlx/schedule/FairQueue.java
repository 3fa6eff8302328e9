package skulk.runner.mlx.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Waiting requests, fair by client and by tokens: the client that has been served the fewest tokens is next (start-time
 * fair queueing, Goyal, Vin, Cheng, SIGCOMM 1996). A client that comes back starts level with the others, so that
 * idling saves nothing up. Where there is no room, the client with the most tokens waiting gives way, its newest request
 * first (as Demers, Keshav, Shenker do with packets, SIGCOMM 1989), so that nobody can fill the queue for others. Not
 * thread-safe.
 *
 * @param <T> a request
 */
final class FairQueue<T> {
    /** Clients that wait for nothing are remembered up to here while others wait. */
    private static final int MOST_REMEMBERED = 1024;

    private record Waiting<T>(T item, long cost) {}

    private static final class Client<T> {
        final ArrayDeque<Waiting<T>> waiting = new ArrayDeque<>();
        long served;
        long cost;
    }

    private final Map<String, Client<T>> clients = new LinkedHashMap<>();
    private long clock;
    private int size;
    private long cost;

    /** @param tokens what serving the request costs at most */
    void add(String client, T item, long tokens) {
        Client<T> queue = clients.computeIfAbsent(client, name -> new Client<>());
        if (queue.waiting.isEmpty()) {
            queue.served = Math.max(queue.served, clock);
        }
        queue.waiting.add(new Waiting<>(item, tokens));
        queue.cost += tokens;
        size++;
        cost += tokens;
    }

    /** The request that is next, left in the queue. */
    Optional<T> peek() {
        return next().map(client -> client.waiting.element().item);
    }

    /** Takes the request that is next. */
    Optional<T> poll() {
        return next().map(client -> {
            Waiting<T> first = client.waiting.remove();
            clock = client.served;
            client.served += first.cost;
            left(client, first.cost);
            if (size == 0 || clients.size() > MOST_REMEMBERED) {
                clients.values().removeIf(c -> c.waiting.isEmpty());
            }
            return first.item;
        });
    }

    /** Takes all requests that satisfy the condition. */
    List<T> removeIf(Predicate<T> condition) {
        List<T> removed = new ArrayList<>();
        for (Client<T> client : clients.values()) {
            client.waiting.removeIf(waiting -> {
                if (!condition.test(waiting.item)) {
                    return false;
                }
                removed.add(waiting.item);
                left(client, waiting.cost);
                return true;
            });
        }
        return removed;
    }

    /** Takes the newest request of the client with the most tokens waiting, if these are more than {@code tokens}. */
    Optional<T> pollOver(long tokens) {
        return clients.values().stream()
                .filter(client -> client.cost > tokens)
                .max(Comparator.comparingLong(client -> client.cost))
                .map(client -> {
                    Waiting<T> newest = client.waiting.removeLast();
                    left(client, newest.cost);
                    return newest.item;
                });
    }

    private void left(Client<T> client, long tokens) {
        client.cost -= tokens;
        size--;
        cost -= tokens;
    }

    /** Tokens that a client has waiting. */
    long tokens(String client) {
        Client<T> known = clients.get(client);
        return known == null ? 0 : known.cost;
    }

    /** Ties go to the client that came first. */
    private Optional<Client<T>> next() {
        return clients.values().stream()
                .filter(client -> !client.waiting.isEmpty())
                .min(Comparator.comparingLong(client -> client.served));
    }

    int size() {
        return size;
    }

    /** Tokens of all waiting requests. */
    long tokens() {
        return cost;
    }
}
