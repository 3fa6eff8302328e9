package skulk.api.http;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import skulk.api.json.Json;

/** A whole response. The body is not copied: do not change it afterwards. */
public record Response(int status, String contentType, byte[] body, Map<String, String> headers) {
    public Response {
        headers = Map.copyOf(headers);
    }

    public static Response json(int status, Json value) {
        return new Response(status, "application/json", value.toBytes(), Map.of());
    }

    public static Response text(int status, String text) {
        return new Response(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    /** This response with one more header. */
    public Response header(String name, String value) {
        Map<String, String> more = new java.util.HashMap<>(headers);
        more.put(name, value);
        return new Response(status, contentType, body, more);
    }
}
