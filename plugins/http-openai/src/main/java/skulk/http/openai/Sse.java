package skulk.http.openai;

import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** Frames of server-sent events (WHATWG HTML, section 9.2). JSON text holds no raw line break, so one data line is enough. */
final class Sse {
    static final String KEEP_ALIVE = ": keep-alive\n\n";
    static final String DONE = "data: [DONE]\n\n";

    private Sse() {}

    static String data(Json value) {
        return "data: " + value + "\n\n";
    }

    static String event(String name, Json value) {
        return "event: " + name + "\ndata: " + value + "\n\n";
    }

    /** A comment, which clients that do not look for it skip. */
    static String comment(String name, Object value) {
        return ": " + name + " " + value + "\n\n";
    }

    /** Contract section 3, step 3 of the stream framing. */
    static String prefillProgress(String model, int processed, int total) {
        return comment(
                "prefill_progress",
                JsonObject.of(
                        "PrefillProgressChunk",
                        JsonObject.builder()
                                .put("model", model)
                                .put("processed_tokens", processed)
                                .put("total_tokens", total)
                                .build()));
    }
}
