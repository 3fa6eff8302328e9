package skulk.http.openai;

import skulk.api.dialect.DialectBody;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** Reads what shape the output must have. */
final class OutputFields {
    private OutputFields() {}

    /** Chat completions: {@code {"type":"json_schema","json_schema":{name, schema, strict}}}. */
    static OutputShape readChat(DialectBody body) {
        return body.fields()
                .object("response_format")
                .map(format -> {
                    String type = format.requiredString("type");
                    if (type.equals("json_schema")) {
                        format.require("json_schema");
                        return format.object("json_schema")
                                .map(OutputFields::schema)
                                .orElse(new OutputShape.AnyJson());
                    }
                    return simple(body, format, type);
                })
                .orElse(new OutputShape.FreeText());
    }

    /** Responses: {@code text.format} is {@code {"type":"json_schema", name, schema, strict}}. */
    static OutputShape readResponses(DialectBody body, Fields text) {
        return text.object("format")
                .map(format -> {
                    String type = format.requiredString("type");
                    return type.equals("json_schema") ? schema(format) : simple(body, format, type);
                })
                .orElse(new OutputShape.FreeText());
    }

    private static OutputShape simple(DialectBody body, Fields format, String type) {
        return switch (type) {
            case "text", "" -> new OutputShape.FreeText();
            case "json_object" -> new OutputShape.AnyJson();
            case "regex" -> new OutputShape.Regex(format.requiredString("pattern"));
            default -> {
                format.accept(type, "syntax", "definition", "grammar");
                body.refuse(
                        "a response format of type '%s' is not supported: text, json_object, json_schema and regex are"
                                .formatted(type));
                yield new OutputShape.FreeText();
            }
        };
    }

    private static OutputShape schema(Fields format) {
        format.accept("description");
        Json schema = format.any("schema").orElse(JsonObject.EMPTY);
        if (!(schema instanceof JsonObject)) {
            format.fail("schema", "dict_type", "Input should be a valid dictionary");
        }
        return new OutputShape.JsonSchema(
                format.string("name").orElse(""), schema, format.bool("strict").orElse(false));
    }
}
