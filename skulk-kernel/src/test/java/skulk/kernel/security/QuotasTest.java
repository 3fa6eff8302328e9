package skulk.kernel.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import skulk.api.Inference;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.NodeId;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.Sampling;
import skulk.api.http.Route.Scope;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** What a key may have under way and use per minute. */
class QuotasTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000); // nanoTime may overflow
    private final KeyRing ring = new KeyRing(List.of(
            key("two-at-once", new ApiKey.Limits(2, 0)),
            key("six-hundred", new ApiKey.Limits(0, 600)),
            key("free", ApiKey.Limits.NONE)));
    private final Quotas quotas = new Quotas(() -> ring, now::get);

    private static ApiKey key(String id, ApiKey.Limits limits) {
        return new ApiKey(id, KeyHash.ofRandom(id), Set.of(Scope.INFER), limits, Instant.EPOCH);
    }

    private Problem refused(String client) {
        return assertThrows(SkulkException.class, () -> quotas.admit(client)).problem();
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    @Test
    void countsWhatIsUnderWay() {
        Quotas.Ticket one = quotas.admit("two-at-once");
        quotas.admit("two-at-once");
        Problem problem = refused("two-at-once");
        assertEquals(Problem.Kind.OVERLOADED, problem.kind());
        assertEquals(Optional.of(Duration.ofSeconds(1)), problem.retryAfter());
        one.close(1_000_000);
        one.close(1_000_000); // once is enough
        quotas.admit("two-at-once");
        refused("two-at-once");
        for (int i = 0; i < 100; i++) {
            quotas.admit("free");
            quotas.admit("192.0.2.1");
        }
    }

    @Test
    void refillsTheMinutesTokensSteadily() {
        quotas.admit("six-hundred").close(599);
        quotas.admit("six-hundred").close(301); // the cost is known only when it has been paid: 300 too many
        Problem problem = refused("six-hundred");
        assertEquals(Problem.Kind.OVERLOADED, problem.kind());
        Duration wait = problem.retryAfter().orElseThrow();
        assertEquals(31, wait.toSeconds(), "301 tokens at 10 a second");
        pass(wait.minusSeconds(2));
        refused("six-hundred");
        pass(Duration.ofSeconds(2));
        quotas.admit("six-hundred").close(0);
        pass(Duration.ofHours(5));
        quotas.admit("six-hundred").close(600); // no more than a minute's worth is saved
        refused("six-hundred");
    }

    /** What each of two nodes would hear of the other. */
    @Test
    void countsWhatOtherNodesTell() {
        Quotas other = new Quotas(() -> ring, now::get);
        NodeId here = new NodeId("here");
        NodeId there = new NodeId("there");
        Quotas.Ticket one = quotas.admit("two-at-once");
        other.heard(here, quotas.own());
        Quotas.Ticket two = other.admit("two-at-once");
        quotas.heard(there, other.own());
        refused("two-at-once");
        assertThrows(SkulkException.class, () -> other.admit("two-at-once"));
        two.close(0);
        quotas.heard(there, other.own());
        quotas.heard(there, other.own()); // once more does no harm
        quotas.admit("two-at-once").close(0);
        one.close(0);
        other.heard(here, quotas.own());
        other.admit("two-at-once");
        other.admit("two-at-once");
        quotas.heard(there, other.own());
        refused("two-at-once");
        quotas.keepOnly(List.of(here)); // the other node is gone, and what it had under way with it
        quotas.admit("two-at-once");
    }

    @Test
    void chargesOnceWhatOtherNodesTell() {
        Quotas other = new Quotas(() -> ring, now::get);
        NodeId there = new NodeId("there");
        other.admit("six-hundred").close(10_000);
        pass(Duration.ofMinutes(16)); // 9,600 tokens: the bucket over there lacks 400
        quotas.heard(there, other.own());
        assertEquals(400, quotas.own().get("six-hundred").used(), 1e-6, "not everything since it started");
        other.admit("six-hundred").close(100);
        quotas.heard(there, other.own());
        quotas.heard(there, other.own());
        assertEquals(500, quotas.own().get("six-hundred").used(), 1e-6);
        assertEquals(0, quotas.own().get("six-hundred").charged(), "charged by the other node alone");
        quotas.admit("six-hundred").close(100);
        assertEquals(31 - 30, refused("six-hundred").retryAfter().orElseThrow().toSeconds());
    }

    @Test
    void tellsWhenSomethingChanges() {
        List<Map<String, Quotas.Use>> told = new ArrayList<>();
        quotas.onChange(() -> told.add(quotas.own()));
        quotas.admit("six-hundred").close(7);
        quotas.admit("free").close(7);
        assertEquals(2, told.size());
        assertEquals(new Quotas.Use(1, 0, 0), told.getFirst().get("six-hundred"));
        assertEquals(new Quotas.Use(0, 7, 7), told.getLast().get("six-hundred"));
    }

    /** Tells a script, then nothing. */
    private static final class Scripted implements Inference {
        private final Queue<GenerationEvent> events;

        Scripted(GenerationEvent... events) {
            this.events = new ArrayDeque<>(List.of(events));
        }

        @Override
        public Generating generate(GenerationRequest request) {
            if (events.isEmpty()) {
                throw new SkulkException(Problem.Kind.NOT_FOUND, "No instance found");
            }
            return new Generating() {
                @Override
                public Optional<GenerationEvent> next(Duration patience) {
                    return Optional.ofNullable(events.poll());
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
            return new EmbeddingRequest.Embeddings(List.of(), 600);
        }

        @Override
        public int countTokens(GenerationRequest request) {
            return 1;
        }
    }

    private static GenerationEvent.Text text(String text) {
        return new GenerationEvent.Text(GenerationEvent.Channel.CONTENT, text, List.of());
    }

    private static GenerationRequest request(String client) {
        return new GenerationRequest(
                CommandId.random(),
                new ModelId("org/model"),
                new GenerationRequest.Prompt.Text("count"),
                Sampling.DEFAULT,
                new GenerationRequest.OutputShape.FreeText(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                GenerationRequest.ReasoningWish.NONE,
                client,
                List.of());
    }

    @Test
    void chargesWhatAGenerationUsedWhenItEnds() throws InterruptedException {
        Inference inference = new MeteredInference(
                new Scripted(
                        new GenerationEvent.Accepted(100, 0),
                        text("a"),
                        new GenerationEvent.Finished(
                                GenerationEvent.FinishReason.STOP,
                                Optional.empty(),
                                new GenerationEvent.Usage(100, 500, 0, 0, 0, 0),
                                new GenerationEvent.Stats(1, 1, 0, 1, true))),
                quotas);
        try (Inference.Generating generating = inference.generate(request("six-hundred"))) {
            for (int i = 0; i < 3; i++) {
                quotas.admit("six-hundred").close(0);
                generating.next(Duration.ZERO);
            }
            refused("six-hundred");
        }
        assertEquals(
                1,
                refused("six-hundred").retryAfter().orElseThrow().toSeconds(),
                "closing after the end costs nothing more");
    }

    @Test
    void chargesWhoLeavesEarlyForWhatWasComputed() throws InterruptedException {
        Inference inference =
                new MeteredInference(new Scripted(new GenerationEvent.Accepted(599, 0), text("a"), text("b")), quotas);
        try (Inference.Generating generating = inference.generate(request("six-hundred"))) {
            for (int i = 0; i < 3; i++) {
                generating.next(Duration.ZERO);
            }
        }
        refused("six-hundred");
    }

    @Test
    void givesTheSlotBackWhereNothingBegan() {
        Inference inference = new MeteredInference(new Scripted(), quotas);
        for (int i = 0; i < 5; i++) {
            assertThrows(SkulkException.class, () -> inference.generate(request("two-at-once")));
            inference.countTokens(request("two-at-once"));
        }
        quotas.admit("two-at-once");
        inference.embed(new EmbeddingRequest(
                CommandId.random(), new ModelId("org/model"), List.of("a"), Optional.empty(), false, "six-hundred"));
        refused("six-hundred");
    }
}
