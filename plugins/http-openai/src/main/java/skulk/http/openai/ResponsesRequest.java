package skulk.http.openai;

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
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNull;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * A body of {@code POST /v1/responses}, checked.
 *
 * @param history the conversation without instructions, to be kept for a continuation
 * @param echo the members of the response object that repeat the request
 */
record ResponsesRequest(
        GenerationRequest generation, boolean stream, boolean store, List<Message> history, JsonObject echo) {
    private static final String LOGPROBS = "message.output_text.logprobs";
    // Its reasoning items carry their text, so that nothing needs to be encrypted to be sent back.
    private static final String ENCRYPTED = "reasoning.encrypted_content";

    private record Parts(
            String model,
            List<Message> input,
            Optional<List<Message>> template,
            Optional<String> instructions,
            Optional<String> previous,
            ToolFields tools) {}

    static ResponsesRequest read(Json json, String client, ResponseStore kept) {
        DialectBody body = DialectBody.of(json);
        Fields fields = body.fields();
        Parts parts = parts(body);
        boolean stream = fields.bool("stream").orElse(false);
        boolean store = fields.bool("store").orElse(true);
        Sampling sampling = SamplingFields.read(fields);
        List<String> stop = SamplingFields.stop(fields);
        Optional<Integer> maxTokens = SamplingFields.maxTokens(body, "max_output_tokens");
        ReasoningWish reasoning = reasoning(fields);
        Optional<Integer> logprobs = logprobs(body);
        OutputShape output = text(body);
        readOthers(body);
        body.check();
        List<Message> history = history(parts, client, kept);
        if (!MessageFields.hasContent(history)) {
            throw new SkulkException(Problem.Kind.USER_ERROR, ChatRequest.NO_CONTENT);
        }
        List<Message> prompt = new ArrayList<>();
        parts.instructions().ifPresent(text -> prompt.add(Message.of("system", text)));
        prompt.addAll(history);
        ToolFields tools = parts.tools();
        GenerationRequest generation = new GenerationRequest(
                CommandId.random(),
                DialectBody.model(parts.model()),
                new Prompt.Conversation(prompt, tools.tools(), tools.choice(), tools.parallel(), Map.of()),
                sampling,
                output,
                maxTokens,
                stop,
                logprobs,
                reasoning,
                client,
                List.of());
        return new ResponsesRequest(generation, stream, store, history, echo((JsonObject) json, store));
    }

    private static Parts parts(DialectBody body) {
        Fields fields = body.fields();
        String model = fields.requiredString("model");
        boolean template = fields.has("chat_template_messages");
        if (!template) {
            fields.require("input");
        }
        return new Parts(
                model,
                ResponsesInput.read(body),
                template ? Optional.of(MessageFields.read(body, "chat_template_messages")) : Optional.empty(),
                fields.string("instructions"),
                fields.string("previous_response_id"),
                ToolFields.readResponses(body));
    }

    private static List<Message> history(Parts parts, String client, ResponseStore kept) {
        List<Message> history = new ArrayList<>();
        parts.previous()
                .ifPresent(id -> history.addAll(kept.get(id, client)
                        .orElseThrow(() -> new SkulkException(
                                Problem.Kind.NOT_FOUND, "Previous response with id '%s' not found.".formatted(id)))
                        .messages()));
        history.addAll(parts.template().orElse(parts.input()));
        return history;
    }

    private static ReasoningWish reasoning(Fields fields) {
        Optional<Boolean> enabled = fields.bool("enable_thinking");
        Optional<String> effort = fields.object("reasoning").flatMap(r -> {
            // reasoning is always summed up in full, whatever kind of summary is asked for
            r.oneOf("summary", List.of("auto", "concise", "detailed"));
            r.oneOf("generate_summary", List.of("auto", "concise", "detailed"));
            return r.oneOf("effort", SamplingFields.EFFORTS);
        });
        return SamplingFields.reasoning(enabled, effort);
    }

    private static Optional<Integer> logprobs(DialectBody body) {
        List<String> include = body.fields().strings("include");
        include.stream()
                .filter(name -> !name.equals(LOGPROBS) && !name.equals(ENCRYPTED))
                .forEach(name -> body.refuse("'include' of '%s' is not supported".formatted(name)));
        Optional<Integer> top = body.fields().integer("top_logprobs", 0, 20);
        boolean wanted = include.contains(LOGPROBS);
        if (!wanted && top.filter(t -> t > 0).isPresent()) {
            body.refuse("'top_logprobs' needs 'include': [\"%s\"]".formatted(LOGPROBS));
        }
        return wanted ? Optional.of(top.orElse(0)) : Optional.empty();
    }

    private static OutputShape text(DialectBody body) {
        return body.fields()
                .object("text")
                .map(text -> {
                    if (!text.oneOf("verbosity", List.of("low", "medium", "high"))
                            .orElse("medium")
                            .equals("medium")) {
                        body.refuse("'text.verbosity' is not supported: length is the model's choice");
                    }
                    return OutputFields.readResponses(body, text);
                })
                .orElse(new OutputShape.FreeText());
    }

    private static void readOthers(DialectBody body) {
        Fields fields = body.fields();
        fields.string("user");
        fields.string("safety_identifier");
        fields.string("prompt_cache_key"); // prefixes are shared without it
        fields.object("metadata")
                .ifPresent(m -> DialectBody.skip(m, fields.any("metadata").orElseThrow()));
        fields.object("stream_options").ifPresent(options -> {
            if (options.bool("include_obfuscation").orElse(false)) {
                body.refuse("'stream_options.include_obfuscation' is not supported: chunks are not padded");
            }
        });
        body.refuseUnless("background", DialectBody::isFalse, "a response lives as long as its request");
        body.refuseUnless("truncation", DialectBody.isOneOf("disabled"), "an overlong conversation is an error");
        SamplingFields.tier(fields);
        fields.oneOf("prompt_cache_retention", SamplingFields.RETENTIONS); // how long is up to what else needs the room
        fields.integer(
                "max_tool_calls", 1, Integer.MAX_VALUE); // counts calls of built-in tools, of which there are none
        body.refuseUnless("conversation", value -> false, "continue with previous_response_id");
        body.refuseUnless("context_management", DialectBody::isEmpty, "an overlong conversation is an error");
        body.refuseUnless("prompt", value -> false, "there are no stored prompts");
    }

    private static JsonObject echo(JsonObject json, boolean store) {
        Json reasoning = JsonObject.builder()
                .put("effort", json.object("reasoning").flatMap(r -> r.find("effort")))
                .put("summary", json.object("reasoning").flatMap(r -> r.find("summary")))
                .build();
        Json text = json.find("text").orElse(JsonObject.of("format", JsonObject.of("type", "text")));
        return JsonObject.builder()
                .put("instructions", json.find("instructions"))
                .put("max_output_tokens", json.find("max_output_tokens"))
                .put("metadata", json.find("metadata").orElse(JsonObject.EMPTY))
                .put("parallel_tool_calls", json.find("parallel_tool_calls").orElse(Json.of(true)))
                .put("previous_response_id", json.find("previous_response_id"))
                .put("reasoning", reasoning)
                .put("service_tier", json.find("service_tier").map(any -> "default"))
                .put("store", store)
                .put("temperature", json.find("temperature").orElse(new JsonNumber("1.0")))
                .put("text", text)
                .put("tool_choice", json.find("tool_choice").orElse(new JsonString("auto")))
                .put("tools", json.find("tools").orElse(new JsonArray(List.of())))
                .put("top_p", json.find("top_p").orElse(new JsonNumber("1.0")))
                .put("truncation", "disabled")
                .put("user", json.find("user").orElse(new JsonNull()))
                .build();
    }
}
