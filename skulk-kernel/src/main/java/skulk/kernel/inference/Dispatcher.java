package skulk.kernel.inference;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import skulk.api.Inference;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Instance;
import skulk.api.cluster.InstanceId;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.TaskStatus;
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
    /** The code of a failure after which the request may go on elsewhere. */
    static final String LOST = "instance_lost";

    private static final Duration CALL = Duration.ofMinutes(10);
    /** Least time between two signs of life of a request that another node works on; views, which they come with, are a second apart at most. */
    private static final Duration PULSE = Duration.ofMillis(700);
    /**
     * Silence of a node that works on a request of this one, after which the request is lost, though the node is a member: a link that works one way. Looked for
     * once a second, so that five seconds are kept.
     */
    private static final Duration SILENCE = Duration.ofMillis(3900);

    private final NodeId self;
    private final Supplier<ClusterView> view;
    private final RankHost ranks;
    private final Calls calls;
    private final BiConsumer<NodeId, Message> send;
    private final Accounts accounts;
    private final Tracer tracer;
    private final Limits limits;
    private final Recovery recovery;
    private final Predicate<InstanceId> deleted;
    private final Questions questions;
    private final Map<CommandId, InFlight> inFlight = new ConcurrentHashMap<>();
    private volatile long pulsed = System.nanoTime();
    private final Map<CommandId, Outbound> served = new ConcurrentHashMap<>();

    /**
     * @param stall longest silence of a stream after its first token
     * @param inFlight most requests under way per instance, waiting ones included
     * @param resume what becomes of requests whose instance is lost
     */
    public record Limits(Duration stall, int inFlight, Recovery.Policy resume) {
        public static final Limits DEFAULT =
                new Limits(Duration.ofSeconds(120), 264, new Recovery.Policy(true, Duration.ofSeconds(60), 3));
    }

    /**
     * @param send to any node, this one included
     * @param replaceable whether a lost instance is going to be placed again, as far as this node can tell; must not wait
     * @param deleted whether an instance that is not there was deleted by somebody
     */
    public record Wiring(
            NodeId self,
            Supplier<ClusterView> view,
            RankHost ranks,
            Calls calls,
            BiConsumer<NodeId, Message> send,
            Predicate<Instance> replaceable,
            Predicate<InstanceId> deleted) {}

    public Dispatcher(Wiring wiring, Accounts accounts, Tracer tracer, Limits limits) {
        this.self = wiring.self();
        this.view = wiring.view();
        this.ranks = wiring.ranks();
        this.calls = wiring.calls();
        this.send = wiring.send();
        this.accounts = accounts;
        this.tracer = tracer;
        this.limits = limits;
        this.recovery = new Recovery(limits.resume(), wiring.replaceable());
        this.deleted = wiring.deleted();
        this.questions = new Questions(view, recovery, this::load);
        calls.answer("embed", body -> answerEmbed((JsonObject) body));
        calls.answer("count", body -> answerCount((JsonObject) body));
    }

    @Override
    public Generating generate(GenerationRequest request) {
        ClusterView now = view.get();
        Instance instance = choose(now, request.model());
        admit(request, instance);
        Preflight.check(request, now);
        InFlight started = new InFlight(request, instance, limits.stall(), new Circumstances());
        if (inFlight.putIfAbsent(request.commandId(), started) != null) {
            throw new SkulkException(
                    Problem.Kind.CONFLICT, "Command %s is under way already".formatted(request.commandId()));
        }
        accounts.started(started, now.tracingEnabled(), TaskStatus.PENDING);
        if (now.tracingEnabled()) {
            tracer.started(started, leader(instance));
        }
        hand(started, instance, new InFlight.Attempt(1, request));
        return started;
    }

    private void hand(InFlight request, Instance instance, InFlight.Attempt attempt) {
        NodeId leader = leader(instance);
        if (!leader.equals(self)) {
            send.accept(leader, new Message.Data.Generate(instance.instanceId(), attempt.number(), attempt.request()));
        } else if (!ranks.submit(
                instance.instanceId(), attempt.request(), event -> request.accept(attempt.number(), event))) {
            request.lose(attempt.number(), lost());
        }
        // the view may have changed between the choice and the entry in the table
        failWhereLost(view.get(), request);
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
        return best;
    }

    /**
     * Refuses what the rank's queue would refuse anyway, before its prompt is rendered there. Over the limit, clients with less than an equal share get through to the
     * queue, where those with more give way.
     */
    private void admit(GenerationRequest request, Instance instance) {
        Map<String, Long> byClient = inFlight.values().stream()
                .filter(r -> r.instance().instanceId().equals(instance.instanceId()))
                .collect(Collectors.groupingBy(r -> r.request().client(), Collectors.counting()));
        long load = byClient.values().stream().mapToLong(Long::longValue).sum();
        long own = byClient.getOrDefault(request.client(), 0L);
        long clients = byClient.size() + (own == 0 ? 1 : 0);
        boolean over = load >= limits.inFlight() && own >= limits.inFlight() / clients;
        if (over || load >= 2L * limits.inFlight()) {
            throw new SkulkException(Problem.of(
                            Problem.Kind.OVERLOADED,
                            "queue_full",
                            "%d requests are under way for model %s, %d of them yours; try again later"
                                    .formatted(load, request.model(), own))
                    .retryAfter(Duration.ofSeconds(1)));
        }
    }

    private long load(Instance instance) {
        return inFlight.values().stream()
                .filter(r -> r.instance().instanceId().equals(instance.instanceId()))
                .count();
    }

    /** What requests under way ask of their surroundings. */
    private final class Circumstances implements InFlight.Host {
        @Override
        public void told(InFlight.Told told) {
            if (told.event() instanceof GenerationEvent.Finished || told.event() instanceof GenerationEvent.Failed) {
                inFlight.remove(told.request().command());
            }
            accounts.told(told);
            tracer.told(told);
        }

        @Override
        public void cancel(InFlight request) {
            NodeId leader = leader(request.instance());
            if (leader.equals(self)) {
                ranks.cancel(request.command());
            } else {
                send.accept(leader, new Message.Data.Cancel(request.command()));
            }
        }

        @Override
        public boolean recoverable(InFlight request, int attempt) {
            return recovery.mayWait(view.get(), request.instance(), attempt);
        }

        @Override
        public void interrupted(InFlight request, Problem loss) {
            accounts.interrupted(request, loss);
            cancel(request); // ranks that are left of the instance need not go on
        }

        @Override
        public void waits(InFlight request) {
            proceed(view.get(), request);
        }
    }

    /** Lets a request that waits go on where its model serves again, or end where that is not to be expected any more. */
    private void proceed(ClusterView now, InFlight request) {
        switch (recovery.next(now, request.instance(), request.lossSeen(now), request.waited(), this::load)) {
            case Recovery.Next.GoOn(Instance instance) ->
                request.resume(instance).ifPresent(attempt -> {
                    accounts.resumed(request, now.tracingEnabled());
                    tracer.resumed(request);
                    hand(request, instance, attempt);
                });
            case Recovery.Next.Wait() -> {}
            case Recovery.Next.GiveUp() -> request.giveUp();
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

    /** Fails what a change of the cluster has made impossible. Called with every view, of which there is one a second at least. Never waits. */
    public void viewChanged(ClusterView now) {
        pulse();
        questions.viewChanged();
        for (InFlight request : inFlight.values()) {
            if (request.waiting()) {
                proceed(now, request);
            } else {
                failWhereLost(now, request);
            }
        }
        served.forEach((command, outbound) -> {
            if (!now.members().contains(outbound.to()) && served.remove(command, outbound)) {
                ranks.cancel(command);
            }
        });
    }

    private void pulse() {
        long now = System.nanoTime();
        Duration passed = Duration.ofNanos(now - pulsed);
        if (passed.compareTo(PULSE) < 0) {
            return;
        }
        pulsed = now;
        boolean stoodStill = passed.compareTo(PULSE.multipliedBy(4)) > 0; // what was sent meanwhile is read first
        for (InFlight request : inFlight.values()) {
            OptionalInt attempt = request.attempt();
            if (stoodStill || leader(request.instance()).equals(self)) {
                request.heard();
            } else if (attempt.isPresent() && request.unheard(now).compareTo(SILENCE) > 0) {
                request.lose(attempt.getAsInt(), lost());
            }
        }
        if (!served.isEmpty()) {
            List<Outbound> silent = List.copyOf(served.values());
            Thread.ofVirtual().name("pulse").start(() -> silent.forEach(Outbound::pulse));
        }
    }

    private void failWhereLost(ClusterView now, InFlight request) {
        OptionalInt attempt = request.attempt(); // before its instance: a later attempt is not meant
        Instance instance = request.instance();
        if (attempt.isEmpty()) {
            return;
        }
        boolean there = now.instances().containsKey(instance.instanceId());
        if (Recovery.broken(now, instance) || !there && !deleted.test(instance.instanceId())) {
            request.lose(attempt.getAsInt(), lost());
        } else if (!there) {
            request.accept(
                    attempt.getAsInt(),
                    new GenerationEvent.Failed(Problem.of(
                                    Problem.Kind.INTERNAL,
                                    "instance_deleted",
                                    "The request was cancelled because its instance was deleted")
                            .retryAfter(Duration.ofSeconds(1))));
        }
    }

    private static Problem lost() {
        return Problem.of(Problem.Kind.INTERNAL, LOST, Losses.INSTANCE_LOST).retryAfter(Duration.ofSeconds(1));
    }

    // ---- between nodes

    /** A message of the data plane; never waits. */
    public void data(NodeId from, Message.Data message) {
        switch (message) {
            case Message.Data.Generate(var instance, int attempt, GenerationRequest request) -> {
                Outbound outbound = new Outbound(from, request.commandId(), attempt, send, this::served);
                served.put(request.commandId(), outbound);
                if (!ranks.submit(instance, request, outbound)) {
                    outbound.accept(new GenerationEvent.Failed(lost()));
                }
            }
            case Message.Data.Deliver(CommandId command, int attempt, List<GenerationEvent> events) -> {
                InFlight request = inFlight.get(command);
                if (request != null && request.attempt().equals(OptionalInt.of(attempt))) {
                    request.heard();
                    events.forEach(event -> request.accept(attempt, event));
                }
            }
            case Message.Data.Cancel(CommandId command) -> ranks.cancel(command);
        }
    }

    private void served(Outbound outbound) {
        served.remove(outbound.command(), outbound);
    }

    // ---- embeddings and counting

    @Override
    public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        Json answer = answer(request.model(), id -> ranks.embed(id, request), "embed", request);
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
        Json answer = answer(request.model(), id -> ranks.countTokens(id, request), "count", request);
        return (int) ((JsonNumber) answer).toLong();
    }

    /**
     * What the first rank of an instance of the model answers.
     *
     * @param here asks one of this node
     * @param topic of the question to another node
     */
    private Json answer(
            ModelId model, Function<InstanceId, Optional<CompletableFuture<Json>>> here, String topic, Record request) {
        return questions.ask(
                choose(view.get(), model),
                instance -> leader(instance).equals(self)
                        ? join(here.apply(instance.instanceId()))
                        : ask(instance, topic, Records.toJson(request)));
    }

    private Json ask(Instance instance, String topic, Json request) {
        try {
            return calls.ask(
                    leader(instance),
                    topic,
                    JsonObject.builder()
                            .put("instance", instance.instanceId())
                            .put("request", request)
                            .build(),
                    CALL);
        } catch (SkulkException e) {
            throw e.problem().code().equals(Calls.NODE_LOST) ? new SkulkException(lost(), e) : e;
        }
    }

    private Json answerEmbed(JsonObject body) {
        var instance = Records.fromJson(body.members().get("instance"), InstanceId.class);
        return join(ranks.embed(instance, Records.fromJson(body.members().get("request"), EmbeddingRequest.class)));
    }

    private Json answerCount(JsonObject body) {
        var instance = Records.fromJson(body.members().get("instance"), InstanceId.class);
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
