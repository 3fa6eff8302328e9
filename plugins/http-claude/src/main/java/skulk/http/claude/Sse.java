package skulk.http.claude;

import skulk.api.json.JsonObject;

/** Frames of server-sent events as Claude names them: the event's name is its {@code type} too. */
final class Sse {
    static final String KEEP_ALIVE = ": keep-alive\n\n";
    static final String PING = event("ping", JsonObject.builder());

    private Sse() {}

    static String event(String type, JsonObject.Builder members) {
        JsonObject data = JsonObject.builder()
                .put("type", type)
                .putAll(members.build().members())
                .build();
        return "event: " + type + "\ndata: " + data + "\n\n";
    }
}
