package skulk.kernel.cluster;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import skulk.api.cluster.NodeId;
import skulk.api.json.Json;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Questions between nodes: each has a topic, an answer or a problem, and a time limit. Safe for use by several threads. */
public final class Calls {
    /** The code of a failure where the node that was asked has left or is not heard any more. */
    public static final String NODE_LOST = "node_lost";

    private final BiConsumer<NodeId, Message> send;
    private final AtomicLong numbers = new AtomicLong();
    private final Map<Long, Waiting> waiting = new ConcurrentHashMap<>();
    private final Map<String, Function<Json, Json>> topics = new ConcurrentHashMap<>();

    private record Waiting(NodeId node, CompletableFuture<Json> answer) {}

    Calls(BiConsumer<NodeId, Message> send) {
        this.send = send;
    }

    /** Answers questions of a topic, on a thread of their own; a thrown problem becomes the answer. */
    public void answer(String topic, Function<Json, Json> handler) {
        topics.put(topic, handler);
    }

    /** Asks without waiting. */
    public CompletableFuture<Json> askLater(NodeId node, String topic, Json body) {
        long number = numbers.incrementAndGet();
        CompletableFuture<Json> answer = new CompletableFuture<>();
        waiting.put(number, new Waiting(node, answer));
        answer.whenComplete((a, e) -> waiting.remove(number));
        send.accept(node, new Message.Call.Ask(number, topic, body));
        return answer;
    }

    /** Asks and waits. @throws SkulkException the other node's problem, or NOT_READY where it does not answer in time */
    public Json ask(NodeId node, String topic, Json body, Duration patience) {
        CompletableFuture<Json> answer = askLater(node, topic, body);
        try {
            return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof SkulkException s
                    ? s
                    : new SkulkException(Problem.of(Problem.Kind.INTERNAL, String.valueOf(e.getCause())), e);
        } catch (TimeoutException e) {
            throw new SkulkException(
                    Problem.Kind.NOT_READY, "Node %s did not answer within %d s".formatted(node, patience.toSeconds()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SkulkException(Problem.Kind.NOT_READY, "interrupted while asking node " + node);
        } finally {
            answer.cancel(false);
        }
    }

    void message(NodeId from, Message.Call call) {
        switch (call) {
            case Message.Call.Ask(long number, String topic, Json body) ->
                Thread.ofVirtual().name("call-" + topic).start(() -> send.accept(from, reply(number, topic, body)));
            case Message.Call.Answer(long number, Json body, Optional<Problem> problem) -> {
                Waiting asked = waiting.get(number);
                if (asked != null && asked.node().equals(from)) {
                    problem.ifPresentOrElse(
                            p -> asked.answer().completeExceptionally(new SkulkException(p)),
                            () -> asked.answer().complete(body));
                }
            }
        }
    }

    private Message reply(long number, String topic, Json body) {
        Function<Json, Json> handler = topics.get(topic);
        if (handler == null) {
            return refusal(number, Problem.of(Problem.Kind.NOT_FOUND, "this node does not answer '" + topic + "'"));
        }
        try {
            return new Message.Call.Answer(number, handler.apply(body), Optional.empty());
        } catch (SkulkException e) {
            return refusal(number, e.problem());
        } catch (RuntimeException e) {
            return refusal(number, Problem.of(Problem.Kind.INTERNAL, String.valueOf(e.getMessage())));
        }
    }

    private static Message refusal(long number, Problem problem) {
        return new Message.Call.Answer(number, Json.NULL, Optional.of(problem));
    }

    /** Nodes that are gone do not answer any more. */
    void members(Collection<NodeId> members) {
        fail(node -> !members.contains(node), "Node %s has left the cluster");
    }

    /** Members that are not heard any more do not answer either, as behind a link that works one way. */
    void silent(Collection<NodeId> nodes) {
        fail(nodes::contains, "Node %s is not heard any more");
    }

    private void fail(Predicate<NodeId> lost, String why) {
        waiting.values().stream()
                .filter(w -> lost.test(w.node()))
                .forEach(w -> w.answer()
                        .completeExceptionally(new SkulkException(
                                Problem.of(Problem.Kind.NOT_READY, NODE_LOST, why.formatted(w.node())))));
    }
}
