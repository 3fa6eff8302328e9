package skulk.http.claude;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * A body of {@code POST /v1/messages} or of its token counter, checked.
 *
 * @param thinkingShown whether the answer holds the text of its thinking
 */
record MessagesRequest(GenerationRequest generation, boolean stream, boolean thinkingShown) {
    private static final int MOST_STOPS = 64;
    private static final List<String> EFFORTS = List.of("low", "medium", "high", "xhigh", "max");

    /** @throws SkulkException INVALID for wrong shapes, USER_ERROR for what is not served, NOT_FOUND for a name that no model can have */
    static MessagesRequest read(Json json, String client) {
        DialectBody body = DialectBody.of(json);
        body.fields().require("max_tokens");
        Optional<Integer> maxTokens = maxTokens(body);
        boolean stream = body.fields().bool("stream").orElse(false);
        List<String> stop = stop(body.fields());
        boolean shown = body.fields()
                .any("thinking")
                .filter(thinking -> thinking instanceof JsonObject object
                        && object.find("display").equals(Optional.of(new JsonString("omitted"))))
                .isEmpty();
        Output output = new Output(sampling(body.fields()), maxTokens, stop);
        return new MessagesRequest(prompt(body, client, output), stream, shown);
    }

    /** The counter's body: what makes the prompt, nothing of the output. */
    static GenerationRequest readForCounting(Json json, String client) {
        return prompt(DialectBody.of(json), client, new Output(Sampling.DEFAULT, Optional.empty(), List.of()));
    }

    private record Output(Sampling sampling, Optional<Integer> maxTokens, List<String> stop) {}

    private record Effort(Optional<String> effort, OutputShape shape) {}

    private static GenerationRequest prompt(DialectBody body, String client, Output output) {
        Fields fields = body.fields();
        String model = fields.requiredString("model");
        List<Message> messages = new ArrayList<>();
        ContentBlocks.readSystem(body).ifPresent(text -> messages.add(Message.of("system", text)));
        List<Message> turns = ContextEdits.read(body).apply(ContentBlocks.readMessages(body));
        messages.addAll(turns);
        ToolFields tools = ToolFields.read(body);
        Effort effort = outputConfig(body);
        ReasoningWish reasoning = thinking(body, effort.effort());
        readOthers(body);
        body.check();
        if (!ContentBlocks.hasContent(turns)) {
            throw new SkulkException(
                    Problem.Kind.USER_ERROR,
                    "the request has no content to generate from (messages / input must contain a non-empty message)");
        }
        return new GenerationRequest(
                CommandId.random(),
                DialectBody.model(model),
                new Prompt.Conversation(messages, tools.tools(), tools.choice(), tools.parallel(), Map.of()),
                output.sampling(),
                effort.shape(),
                output.maxTokens(),
                output.stop(),
                Optional.empty(),
                reasoning,
                client,
                List.of());
    }

    private static Optional<Integer> maxTokens(DialectBody body) {
        Optional<Long> value = body.fields().longInteger("max_tokens");
        if (value.filter(v -> v <= 0).isPresent()) {
            body.refuse("max_tokens (max_output_tokens) must be a positive integer");
        }
        return value.map(v -> Math.clamp(v, 1, Integer.MAX_VALUE));
    }

    private static Sampling sampling(Fields fields) {
        return new Sampling(
                fields.number("temperature", 0, 2),
                fields.number("top_p", 0, 1),
                fields.integer("top_k", 0, Integer.MAX_VALUE),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of());
    }

    private static List<String> stop(Fields fields) {
        fields.array("stop_sequences"); // a single text, which strings() would take, is wrong here
        List<String> stop = fields.strings("stop_sequences");
        if (stop.size() > MOST_STOPS) {
            fields.fail("stop_sequences", "too_long", "List should have at most " + MOST_STOPS + " items");
        }
        if (stop.stream().anyMatch(String::isEmpty)) {
            fields.fail("stop_sequences", "string_too_short", "Stop sequences should have at least 1 character");
        }
        return stop;
    }

    /** Adaptive thinking leaves the amount to the model, which is what a model does that is told to think. */
    private static ReasoningWish thinking(DialectBody body, Optional<String> effort) {
        return body.fields()
                .object("thinking")
                .map(thinking -> {
                    thinking.require("type");
                    String type = thinking.oneOf("type", List.of("enabled", "disabled", "adaptive"))
                            .orElse("disabled");
                    Optional<Integer> budget = thinking.integer("budget_tokens", 1, Integer.MAX_VALUE);
                    thinking.oneOf("display", List.of("summarized", "omitted"));
                    return new ReasoningWish(Optional.of(!type.equals("disabled")), effort, budget);
                })
                .orElse(new ReasoningWish(Optional.empty(), effort, Optional.empty()));
    }

    private static Effort outputConfig(DialectBody body) {
        return body.fields()
                .object("output_config")
                .map(config -> {
                    Optional<String> effort = config.oneOf("effort", EFFORTS).map(e -> e.equals("max") ? "xhigh" : e);
                    OutputShape shape =
                            config.object("format").map(MessagesRequest::format).orElse(new OutputShape.FreeText());
                    return new Effort(effort, shape);
                })
                .orElse(new Effort(Optional.empty(), new OutputShape.FreeText()));
    }

    private static OutputShape format(Fields format) {
        format.require("type");
        format.oneOf("type", List.of("json_schema"));
        format.require("schema");
        Json schema = format.any("schema").orElse(JsonObject.EMPTY);
        if (!(schema instanceof JsonObject)) {
            format.fail("schema", "dict_type", "Input should be a valid dictionary");
        }
        return new OutputShape.JsonSchema("", schema, true);
    }

    /** Fields without effect on the answer are accepted; fields whose effect is missing here are refused by name, unless they ask for the default. */
    private static void readOthers(DialectBody body) {
        body.fields().object("metadata").ifPresent(metadata -> metadata.string("user_id"));
        body.fields().accept("cache_control"); // prefixes are shared without it
        body.refuseUnless("service_tier", DialectBody.isOneOf("auto", "standard_only"), "there is one tier");
        body.refuseUnless("speed", DialectBody.isOneOf("standard"), "there is one speed");
        body.refuseUnless("mcp_servers", DialectBody::isEmpty, "connect to them from the client");
        body.refuseUnless("container", value -> false, "there is no code execution");
        body.refuseUnless("inference_geo", value -> false, "it runs where the cluster is");
    }
}
