package skulk.kernel.inference;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import skulk.api.Inference;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.RunnerStatus.RunnerFailed;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.json.Json;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;
import skulk.kernel.cluster.Calls;
import skulk.kernel.cluster.Losses;
import skulk.kernel.cluster.Message;
import skulk.kernel.rank.RankHost;

/**
 * Brings each request to rank 0 of the serving instance with the fewest requests in flight, here or one hop away, and its events back. Safe for use by several
 * threads.
 */
public final class Dispatcher implements Inference {
    private static final Duration CALL = Duration.ofMinutes(10);

    private final NodeId self;
    private final Supplier<ClusterView> view;
    private final RankHost ranks;
    private final Calls calls;
    private final BiConsumer<NodeId, Message> send;
    private final Accounts accounts;
    private final Tracer tracer;
    private final Limits limits;
    private final Map<CommandId, InFlight> inFlight = new ConcurrentHashMap<>();
    private final Map<CommandId, Outbound> served = new ConcurrentHashMap<>();

    /**
     * @param stall longest silence of a stream after its first token
     * @param inFlight most requests under way per instance, waiting ones included
     */
    public record Limits(Duration stall, int inFlight) {
        public static final Limits DEFAULT = new Limits(Duration.ofSeconds(120), 264);
    }

    /** @param send to any node, this one included */
    public record Wiring(
            NodeId self, Supplier<ClusterView> view, RankHost ranks, Calls calls, BiConsumer<NodeId, Message> send) {}

    public Dispatcher(Wiring wiring, Accounts accounts, Tracer tracer, Limits limits) {
        this.self = wiring.self();
        this.view = wiring.view();
        this.ranks = wiring.ranks();
        this.calls = wiring.calls();
        this.send = wiring.send();
        this.accounts = accounts;
        this.tracer = tracer;
        this.limits = limits;
        calls.answer("embed", body -> answerEmbed((JsonObject) body));
        calls.answer("count", body -> answerCount((JsonObject) body));
    }

    @Override
    public Generating generate(GenerationRequest request) {
        ClusterView now = view.get();
        Instance instance = choose(now, request.model());
        Preflight.check(request, now);
        InFlight started = new InFlight(request, instance, limits.stall(), this::cancelAt, this::told);
        if (inFlight.putIfAbsent(request.commandId(), started) != null) {
            throw new SkulkException(
                    Problem.Kind.CONFLICT, "Command %s is under way already".formatted(request.commandId()));
        }
        accounts.started(started, now.tracingEnabled());
        NodeId leader = leader(instance);
        if (now.tracingEnabled()) {
            tracer.started(started, leader);
        }
        if (!leader.equals(self)) {
            send.accept(leader, new Message.Data.Generate(instance.instanceId(), request));
        } else if (!ranks.submit(instance.instanceId(), request, started::accept)) {
            started.fail(lost());
        }
        // the view may have changed between the choice and the entry in the table
        failWhereLost(view.get(), started);
        return started;
    }

    private static NodeId leader(Instance instance) {
        return instance.shardAssignments().nodesByRank().getFirst();
    }

    private Instance choose(ClusterView now, ModelId model) {
        Instance best = null;
        long least = Long.MAX_VALUE;
        for (Instance instance : now.instances().values()) {
            if (instance.modelId().equals(model) && now.serving(instance)) {
                long load = load(instance);
                if (load < least) {
                    best = instance;
                    least = load;
                }
            }
        }
        if (best == null) {
            throw new SkulkException(Problem.Kind.NOT_FOUND, "No instance found for model " + model);
        }
        if (least >= limits.inFlight()) {
            throw new SkulkException(Problem.of(
                            Problem.Kind.OVERLOADED,
                            "queue_full",
                            "%d requests are under way for model %s; try again later".formatted(least, model))
                    .retryAfter(Duration.ofSeconds(1)));
        }
        return best;
    }

    private long load(Instance instance) {
        return inFlight.values().stream()
                .filter(r -> r.instance().instanceId().equals(instance.instanceId()))
                .count();
    }

    private void told(InFlight.Told told) {
        if (told.event() instanceof GenerationEvent.Finished || told.event() instanceof GenerationEvent.Failed) {
            inFlight.remove(told.request().command());
        }
        accounts.told(told);
        tracer.told(told);
    }

    private void cancelAt(InFlight request) {
        NodeId leader = leader(request.instance());
        if (leader.equals(self)) {
            ranks.cancel(request.command());
        } else {
            send.accept(leader, new Message.Data.Cancel(request.command()));
        }
    }

    /** Cancels a request that this node is answering. @return false where it is not under way here */
    public boolean cancel(CommandId command) {
        InFlight request = inFlight.get(command);
        if (request == null) {
            return false;
        }
        request.close();
        return true;
    }

    /** The requests that this node is answering. */
    public Collection<CommandId> commands() {
        return List.copyOf(inFlight.keySet());
    }

    // ---- loss

    /** Fails what a change of the cluster has made impossible. Never waits. */
    public void viewChanged(ClusterView now) {
        inFlight.values().forEach(request -> failWhereLost(now, request));
        served.forEach((command, outbound) -> {
            if (!now.members().contains(outbound.to()) && served.remove(command, outbound)) {
                ranks.cancel(command);
            }
        });
    }

    private void failWhereLost(ClusterView now, InFlight request) {
        Instance instance = request.instance();
        boolean nodesGone = !now.members()
                .containsAll(instance.shardAssignments().nodeToRunner().keySet());
        boolean rankFailed = instance.shardAssignments().runnerToShard().keySet().stream()
                .anyMatch(r -> now.runners().get(r) instanceof RunnerFailed);
        if (nodesGone || rankFailed) {
            request.fail(lost());
        } else if (!now.instances().containsKey(instance.instanceId())) {
            request.fail(Problem.of(
                            Problem.Kind.INTERNAL,
                            "instance_deleted",
                            "The request was cancelled because its instance was deleted")
                    .retryAfter(Duration.ofSeconds(1)));
        }
    }

    private static Problem lost() {
        return Problem.of(Problem.Kind.INTERNAL, "instance_lost", Losses.INSTANCE_LOST)
                .retryAfter(Duration.ofSeconds(1));
    }

    // ---- between nodes

    /** A message of the data plane; never waits. */
    public void data(NodeId from, Message.Data message) {
        switch (message) {
            case Message.Data.Generate(var instance, GenerationRequest request) -> {
                Outbound outbound =
                        new Outbound(from, request.commandId(), send, () -> served.remove(request.commandId()));
                served.put(request.commandId(), outbound);
                if (!ranks.submit(instance, request, outbound)) {
                    outbound.accept(new GenerationEvent.Failed(lost()));
                }
            }
            case Message.Data.Deliver(CommandId command, List<GenerationEvent> events) -> {
                InFlight request = inFlight.get(command);
                if (request != null) {
                    events.forEach(request::accept);
                }
            }
            case Message.Data.Cancel(CommandId command) -> ranks.cancel(command);
        }
    }

    // ---- embeddings and counting

    @Override
    public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        Instance instance = choose(view.get(), request.model());
        Json answer = leader(instance).equals(self)
                ? join(ranks.embed(instance.instanceId(), request))
                : calls.ask(
                        leader(instance),
                        "embed",
                        JsonObject.builder()
                                .put("instance", instance.instanceId())
                                .put("request", Records.toJson(request))
                                .build(),
                        CALL);
        List<float[]> vectors = new ArrayList<>();
        for (Json vector : ((JsonObject) answer).array("vectors").orElseThrow()) {
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(((JsonString) vector).value()));
            float[] values = new float[bytes.remaining() / 4];
            bytes.asFloatBuffer().get(values);
            vectors.add(values);
        }
        return new EmbeddingRequest.Embeddings(
                vectors,
                ((JsonObject) answer).integer("promptTokens").orElse(0L).intValue());
    }

    @Override
    public int countTokens(GenerationRequest request) {
        Instance instance = choose(view.get(), request.model());
        Json answer = leader(instance).equals(self)
                ? join(ranks.countTokens(instance.instanceId(), request))
                : calls.ask(
                        leader(instance),
                        "count",
                        JsonObject.builder()
                                .put("instance", instance.instanceId())
                                .put("request", Records.toJson(request))
                                .build(),
                        CALL);
        return (int) ((JsonNumber) answer).toLong();
    }

    private Json answerEmbed(JsonObject body) {
        var instance = Records.fromJson(body.members().get("instance"), skulk.api.cluster.InstanceId.class);
        return join(ranks.embed(instance, Records.fromJson(body.members().get("request"), EmbeddingRequest.class)));
    }

    private Json answerCount(JsonObject body) {
        var instance = Records.fromJson(body.members().get("instance"), skulk.api.cluster.InstanceId.class);
        return join(
                ranks.countTokens(instance, Records.fromJson(body.members().get("request"), GenerationRequest.class)));
    }

    private static Json join(Optional<CompletableFuture<Json>> answer) {
        try {
            return answer.orElseThrow(() -> new SkulkException(lost())).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof SkulkException s ? s : e;
        }
    }
}
