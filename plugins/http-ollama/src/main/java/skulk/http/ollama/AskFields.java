package skulk.http.ollama;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.Message;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonBoolean;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;

/** Reads the fields that chat and generate have in common, and messages and tools. */
final class AskFields {
    private static final int MOST_MESSAGES = 10_000;
    private static final List<String> ROLES = List.of("system", "user", "assistant", "tool");

    private AskFields() {}

    /** {@code think} is a switch or an effort. */
    static ReasoningWish think(Fields fields) {
        Optional<Json> think = fields.any("think");
        if (think.isPresent() && think.get() instanceof JsonBoolean(boolean on)) {
            return new ReasoningWish(Optional.of(on), Optional.empty(), Optional.empty());
        }
        Optional<String> effort = fields.oneOf("think", List.of("low", "medium", "high"));
        return effort.isEmpty() ? ReasoningWish.NONE : new ReasoningWish(Optional.of(true), effort, Optional.empty());
    }

    /** {@code format} is {@code "json"} or a schema. */
    static OutputShape format(Fields fields) {
        Optional<Json> format = fields.any("format");
        if (format.isEmpty() || format.get().equals(new JsonString(""))) {
            return new OutputShape.FreeText();
        }
        if (format.get() instanceof JsonObject schema) {
            return new OutputShape.JsonSchema("", schema, true);
        }
        if (!format.get().equals(new JsonString("json"))) {
            fields.fail("format", "value_error", "Input should be 'json' or a JSON schema");
        }
        return new OutputShape.AnyJson();
    }

    static Optional<Integer> logprobs(DialectBody body) {
        boolean wanted = body.fields().bool("logprobs").orElse(false);
        Optional<Integer> top = body.fields().integer("top_logprobs", 0, 20);
        if (!wanted && top.filter(t -> t > 0).isPresent()) {
            body.refuse("'top_logprobs' needs 'logprobs': true");
        }
        return wanted ? Optional.of(top.orElse(0)) : Optional.empty();
    }

    /** A placed model stays until it is deleted, so that any time to keep it is honoured but none at all. */
    static void keepAlive(DialectBody body) {
        body.fields().any("keep_alive").ifPresent(value -> {
            boolean number = value instanceof JsonNumber;
            if (!number && !(value instanceof JsonString)) {
                body.fields().fail("keep_alive", "value_error", "Input should be a number of seconds or a duration");
            } else if (number
                    ? DialectBody.isNumber(0).test(value)
                    : value.toString().matches("\"0[a-z]*\"")) {
                body.refuse("'keep_alive' of 0 is not supported: delete the instance to unload a model");
            }
        });
    }

    static void images(DialectBody body, Fields fields) {
        fields.array("images")
                .filter(images -> images.size() > 0)
                .ifPresent(images -> body.refuse("'images' is not supported: only text is"));
    }

    static List<Message> messages(DialectBody body) {
        List<Fields> items = body.fields().objects("messages");
        if (items.size() > MOST_MESSAGES) {
            body.fields().fail("messages", "too_long", "List should have at most " + MOST_MESSAGES + " items");
        }
        List<Message> messages = new ArrayList<>();
        for (Fields item : items) {
            item.require("role");
            images(body, item);
            List<Message.ToolCall> calls = new ArrayList<>();
            for (Fields call : item.objects("tool_calls")) {
                calls.add(toolCall(call));
            }
            messages.add(new Message(
                    item.oneOf("role", ROLES).orElse("user"),
                    item.string("content"),
                    item.string("thinking"),
                    item.string("tool_name").or(() -> item.string("name")),
                    calls,
                    item.string("tool_call_id")));
            item.accept("name");
        }
        return messages;
    }

    private static Message.ToolCall toolCall(Fields call) {
        call.accept("type");
        String id = call.string("id").orElse("");
        call.require("function");
        return call.object("function")
                .map(function -> {
                    function.accept("index", "description");
                    Json arguments = function.any("arguments").orElse(JsonObject.EMPTY);
                    if (!(arguments instanceof JsonObject)) {
                        function.fail("arguments", "dict_type", "Input should be a valid dictionary");
                    }
                    return new Message.ToolCall(id, function.requiredString("name"), arguments);
                })
                .orElse(new Message.ToolCall(id, "", JsonObject.EMPTY));
    }

    static List<Tool> tools(Fields fields) {
        List<Tool> tools = new ArrayList<>();
        for (Fields tool : fields.objects("tools")) {
            tool.oneOf("type", List.of("function"));
            tool.require("function");
            tool.object("function").ifPresent(function -> {
                Json parameters = function.any("parameters").orElse(JsonObject.EMPTY);
                if (!(parameters instanceof JsonObject)) {
                    function.fail("parameters", "dict_type", "Input should be a valid dictionary");
                }
                function.accept("type"); // clients' types have it; it says nothing
                tools.add(new Tool(
                        function.requiredString("name"),
                        function.string("description").orElse(""),
                        parameters,
                        function.bool("strict").orElse(false)));
            });
        }
        return tools;
    }
}
