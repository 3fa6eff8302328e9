package skulk.http.openai;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * A body of {@code POST /v1/chat/completions}, checked.
 *
 * @param generation the first choice's generation
 * @param choices how many answers are wanted
 * @param legacyFunctions whether tools came as {@code functions}
 * @param tier what the answer says of the tier that served it
 */
record ChatRequest(
        GenerationRequest generation, int choices, boolean stream, boolean legacyFunctions, Optional<String> tier) {
    static final String NO_CONTENT =
            "the request has no content to generate from (messages / input must contain a non-empty message)";

    private static final int MOST_CHOICES = 16;
    private static final Set<String> TEMPLATE_OWN = Set.of("messages", "tools", "add_generation_prompt");

    /** @throws SkulkException INVALID for wrong shapes, USER_ERROR for what is not served, NOT_FOUND for a name that no model can have */
    static ChatRequest read(Json json, String client) {
        DialectBody body = DialectBody.of(json);
        Fields fields = body.fields();
        String model = fields.requiredString("model");
        fields.require("messages");
        List<Message> messages = MessageFields.read(body, "messages");
        boolean stream = fields.bool("stream").orElse(false);
        int choices = fields.integer("n", 1, MOST_CHOICES).orElse(1);
        Sampling sampling = SamplingFields.read(fields);
        List<String> stop = SamplingFields.stop(fields);
        Optional<Integer> maxTokens = SamplingFields.maxTokens(body, "max_tokens", "max_completion_tokens");
        Optional<Integer> logprobs = logprobs(body);
        ReasoningWish reasoning = SamplingFields.reasoning(
                fields.bool("enable_thinking"), fields.oneOf("reasoning_effort", SamplingFields.EFFORTS));
        ToolFields tools = ToolFields.readChat(body);
        OutputShape output = OutputFields.readChat(body);
        Map<String, Json> template = templateArguments(body);
        Optional<String> tier = SamplingFields.tier(fields);
        readOthers(body);
        body.check();
        if (!MessageFields.hasContent(messages)) {
            throw new SkulkException(Problem.Kind.USER_ERROR, NO_CONTENT);
        }
        GenerationRequest generation = new GenerationRequest(
                CommandId.random(),
                DialectBody.model(model),
                new Prompt.Conversation(messages, tools.tools(), tools.choice(), tools.parallel(), template),
                sampling,
                output,
                maxTokens,
                stop,
                logprobs,
                reasoning,
                client,
                List.of());
        return new ChatRequest(generation, choices, stream, tools.legacy(), tier);
    }

    /** One generation per choice; a given seed is counted up so that the choices differ and the whole is reproducible. */
    List<GenerationRequest> generations() {
        List<GenerationRequest> all = new ArrayList<>();
        for (int i = 0; i < choices; i++) {
            all.add(i == 0 ? generation : Variant.of(generation, generation.prompt(), i));
        }
        return all;
    }

    private static Optional<Integer> logprobs(DialectBody body) {
        boolean wanted = body.fields().bool("logprobs").orElse(false);
        Optional<Integer> top = body.fields().integer("top_logprobs", 0, 20);
        if (top.isPresent() && !wanted) {
            body.refuse("'top_logprobs' needs 'logprobs': true");
        }
        return wanted ? Optional.of(top.orElse(0)) : Optional.empty();
    }

    /** Variables for the model's template, as vLLM and SGLang spell them; those that the request itself fills are refused. */
    private static Map<String, Json> templateArguments(DialectBody body) {
        Map<String, Json> given = new LinkedHashMap<>();
        body.fields().any("chat_template_kwargs").ifPresent(value -> {
            if (value instanceof JsonObject object) {
                given.putAll(object.members());
            } else {
                body.fields().fail("chat_template_kwargs", "dict_type", "Input should be a valid dictionary");
            }
        });
        given.keySet().stream()
                .filter(TEMPLATE_OWN::contains)
                .forEach(name -> body.refuse("'chat_template_kwargs.%s' is set by the request itself".formatted(name)));
        return given;
    }

    /** Fields without effect on the answer are accepted; fields whose effect is missing here are refused by name, unless they ask for the default. */
    private static void readOthers(DialectBody body) {
        Fields fields = body.fields();
        fields.string("user");
        fields.string("safety_identifier");
        fields.string("prompt_cache_key"); // prefixes are shared without it
        fields.object("metadata")
                .ifPresent(m -> DialectBody.skip(m, fields.any("metadata").orElseThrow()));
        // usage is on the last chunk whether asked for or not
        fields.object("stream_options").ifPresent(options -> {
            options.bool("include_usage");
            if (options.bool("include_obfuscation").orElse(false)) {
                body.refuse("'stream_options.include_obfuscation' is not supported: chunks are not padded");
            }
        });
        fields.bool("store"); // leave to keep the answer, not a wish for it
        // a guess at the answer makes it come sooner or not, and never changes it
        fields.object("prediction")
                .ifPresent(p -> DialectBody.skip(p, fields.any("prediction").orElseThrow()));
        fields.oneOf("prompt_cache_retention", SamplingFields.RETENTIONS); // how long is up to what else needs the room
        body.refuseUnless("verbosity", DialectBody.isOneOf("medium"), "length is the model's choice");
        body.refuseUnless("modalities", value -> value.equals(JsonArray.of("text")), "only text is generated");
        body.refuseUnless("audio", value -> false, "only text is generated");
        body.refuseUnless("web_search_options", value -> false, "there is no web search");
    }
}
