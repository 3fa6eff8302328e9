package skulk.http.ollama;

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
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonString;

/**
 * A body of chat or generate, checked.
 *
 * @param model as the client names it, to be repeated in answers
 * @param empty whether there is nothing to answer: the client only wants the model to be there
 */
record AskRequest(GenerationRequest generation, String model, boolean stream, boolean empty) {

    private record Common(
            String model,
            boolean stream,
            OptionsFields options,
            OutputShape output,
            ReasoningWish reasoning,
            Optional<Integer> logprobs) {}

    static AskRequest readChat(Json json, String client) {
        DialectBody body = DialectBody.of(json);
        Common common = common(body);
        List<Message> messages = AskFields.messages(body);
        List<Tool> tools = AskFields.tools(body.fields());
        body.check();
        boolean empty = messages.stream()
                .allMatch(m -> m.content().filter(c -> !c.isBlank()).isEmpty()
                        && m.toolCalls().isEmpty());
        return build(common, conversation(messages, tools), client, empty);
    }

    static AskRequest readGenerate(Json json, String client) {
        DialectBody body = DialectBody.of(json);
        Fields fields = body.fields();
        Common common = common(body);
        String prompt = fields.string("prompt").orElse("");
        Optional<String> system = fields.string("system").filter(s -> !s.isEmpty());
        boolean raw = fields.bool("raw").orElse(false);
        if (raw && system.isPresent()) {
            body.refuse("'system' with 'raw' is not supported: a raw prompt is the whole prompt");
        }
        AskFields.images(body, fields);
        JsonString nothing = new JsonString("");
        body.refuseUnless("suffix", nothing::equals, "text is only continued, not filled in");
        body.refuseUnless("template", nothing::equals, "the model's own template is used, or none with 'raw'");
        body.refuseUnless("context", DialectBody::isEmpty, "send the conversation to chat");
        for (String ofImages : List.of("width", "height", "steps")) {
            body.refuseUnless(ofImages, value -> false, "images are not made");
        }
        body.check();
        List<Message> messages = new ArrayList<>();
        system.ifPresent(text -> messages.add(Message.of("system", text)));
        messages.add(Message.of("user", prompt));
        return build(
                common, raw ? new Prompt.Text(prompt) : conversation(messages, List.of()), client, prompt.isBlank());
    }

    private static Prompt conversation(List<Message> messages, List<Tool> tools) {
        return new Prompt.Conversation(messages, tools, new ToolChoice.Auto(), true, Map.of());
    }

    private static Common common(DialectBody body) {
        Fields fields = body.fields();
        AskFields.keepAlive(body);
        body.refuseUnless("truncate", Json.of(false)::equals, "an overlong prompt is an error");
        body.refuseUnless("shift", Json.of(false)::equals, "output ends where the context is full");
        return new Common(
                fields.requiredString("model"),
                fields.bool("stream").orElse(true),
                OptionsFields.read(body),
                AskFields.format(fields),
                AskFields.think(fields),
                AskFields.logprobs(body));
    }

    private static AskRequest build(Common common, Prompt prompt, String client, boolean empty) {
        OptionsFields options = common.options();
        GenerationRequest generation = new GenerationRequest(
                CommandId.random(),
                Models.id(common.model()),
                prompt,
                options.sampling(),
                common.output(),
                options.maxTokens(),
                options.stop(),
                common.logprobs(),
                common.reasoning(),
                client,
                List.of());
        return new AskRequest(generation, common.model(), common.stream(), empty);
    }
}
