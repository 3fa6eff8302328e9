package skulk.kernel.http;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import skulk.api.http.Response;

/**
 * Cross-origin rules: which pages in a browser may call, with every method and header and with credentials (contract section 0). The origin is echoed instead
 * of {@code *}, which browsers refuse together with credentials.
 *
 * @param origins allowed ones; {@code *} is every one
 */
record Cors(List<String> origins) {

    /** The headers for a response to a page of an origin. */
    Map<String, String> headers(Optional<String> origin) {
        Map<String, String> headers = new LinkedHashMap<>();
        if (origin.isPresent() && (origins.contains("*") || origins.contains(origin.get()))) {
            headers.put("Access-Control-Allow-Origin", origin.get());
            headers.put("Access-Control-Allow-Credentials", "true");
            headers.put("Access-Control-Expose-Headers", "X-Request-Id");
            headers.put("Vary", "Origin");
        }
        return headers;
    }

    /** The answer to OPTIONS. */
    Response preflight(Optional<String> requestedHeaders) {
        return new Response(
                200,
                "text/plain; charset=utf-8",
                new byte[0],
                Map.of(
                        "Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
                        "Access-Control-Allow-Headers", requestedHeaders.orElse("*"),
                        "Access-Control-Max-Age", "600"));
    }
}
