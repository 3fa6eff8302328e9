package skulk.example;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import skulk.api.Cluster;
import skulk.api.HttpFeature;
import skulk.api.Inference;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.Sampling;
import skulk.api.http.EventStream;
import skulk.api.http.Exchange;
import skulk.api.http.Fields;
import skulk.api.http.Route;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Two routes: a plain answer that looks at the cluster, and a stream of text that a placed model writes. */
final class GreetingFeature implements HttpFeature {
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final int MAX_TOKENS = 64;

    private final String greeting;
    private final Cluster cluster;
    private final Inference inference;

    GreetingFeature(String greeting, Cluster cluster, Inference inference) {
        this.greeting = greeting;
        this.cluster = cluster;
        this.inference = inference;
    }

    @Override
    public String name() {
        return "example";
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route("GET", "/example/greeting/{name}", Route.Scope.INFER, this::greet),
                new Route("POST", "/example/continue", Route.Scope.INFER, this::proceed));
    }

    private void greet(Exchange exchange) {
        exchange.respond(JsonObject.builder()
                .put("greeting", greeting + ", " + exchange.path("name") + "!")
                .put("members", cluster.view().members().size())
                .build());
    }

    /** {@code {"model", "text"}} → the text that the model continues with, as it comes. */
    private void proceed(Exchange exchange) throws InterruptedException {
        Fields body = Fields.ofBody(exchange.json());
        String model = body.requiredString("model");
        String text = body.requiredString("text");
        body.check();
        try (Inference.Generating generating = inference.generate(
                        request(id(model), text, exchange.caller().id()));
                EventStream stream = exchange.events(EventStream.Kind.TEXT)) {
            stream.onGone(generating::close);
            while (!ended(generating.next(PATIENCE), stream)) {
                // each turn sends what came; a client that leaves ends the loop by an exception or a cancelled
                // generation
            }
        }
    }

    private static ModelId id(String text) {
        try {
            return new ModelId(text);
        } catch (IllegalArgumentException e) {
            throw new SkulkException(Problem.Kind.USER_ERROR, e.getMessage());
        }
    }

    private static GenerationRequest request(ModelId model, String text, String client) {
        return new GenerationRequest(
                CommandId.random(),
                model,
                new GenerationRequest.Prompt.Text(text),
                Sampling.DEFAULT,
                new GenerationRequest.OutputShape.FreeText(),
                Optional.of(MAX_TOKENS),
                List.of(),
                Optional.empty(),
                GenerationRequest.ReasoningWish.NONE,
                client,
                List.of());
    }

    private static boolean ended(Optional<GenerationEvent> event, EventStream stream) {
        if (event.isEmpty()) {
            return stream.gone();
        }
        return switch (event.get()) {
            case GenerationEvent.Text(var channel, String text, var logprobs) -> {
                stream.send(text);
                yield false;
            }
            case GenerationEvent.Failed(Problem problem) -> {
                stream.send("\n[" + problem.message() + "]\n");
                yield true;
            }
            case GenerationEvent.Finished finished -> true;
            case GenerationEvent.Accepted accepted -> false;
            case GenerationEvent.Prefill prefill -> false;
            case GenerationEvent.ToolCallDelta delta -> false;
            case GenerationEvent.Committed committed -> false;
        };
    }
}
