package skulk.storage.hub;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import skulk.api.Settings;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * How the hub is reached.
 *
 * @param endpoint base URL, without a trailing slash
 * @param token sent to the endpoint's own host and to no other
 * @param offline whether nothing is asked at all
 * @param revisions branch, tag or commit by model id; {@code main} for all others
 * @param stall longest silence of a connection before it is given up
 * @param attempts requests that are refused with 429 or 5xx, or not answered, are tried this often in all
 * @param firstPause wait before the second attempt; doubles with each further one
 */
record HubSettings(
        URI endpoint,
        Optional<String> token,
        boolean offline,
        Map<String, String> revisions,
        Duration stall,
        int attempts,
        Duration firstPause) {
    HubSettings {
        revisions = Map.copyOf(revisions);
    }

    /** @throws SkulkException USER_ERROR naming the setting that is wrong */
    static HubSettings of(Settings settings, Map<String, String> environment) {
        String endpoint = settings.text(
                "endpoint",
                settings.text(
                        "hub.endpoint",
                        environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co"),
                        "the same, as the node's own key"),
                "base URL of the hub or of a mirror of it");
        // the environment's token is no default value: listings of settings show those
        String token = Optional.of(settings.text("hf_token", "", "access token, for gated and private models"))
                .filter(t -> !t.isBlank())
                .orElse(environment.getOrDefault("HF_TOKEN", ""));
        String offlineByDefault = environment.getOrDefault("SKULK_OFFLINE", "");
        boolean offline = settings.flag(
                "offline",
                offlineByDefault.equals("1") || offlineByDefault.equalsIgnoreCase("true"),
                "never asks the hub for anything");
        Json revisions = settings.value("revisions", "branch, tag or commit by model id; main for all others")
                .orElse(JsonObject.EMPTY);
        double stall = settings.number("stall_seconds", 30, "longest silence of a connection before it is given up");
        if (!(stall > 0 && stall < 86_400)) {
            throw wrong("stall_seconds must be a number of seconds above 0, not " + stall);
        }
        return new HubSettings(
                base(endpoint),
                Optional.of(token.strip()).filter(t -> !t.isEmpty()),
                offline,
                revisions(revisions),
                Duration.ofMillis((long) (stall * 1000)),
                5,
                Duration.ofMillis(500));
    }

    private static URI base(String text) {
        try {
            URI uri = URI.create(text.strip().replaceAll("/+$", ""));
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw wrong("endpoint is not a URL: " + e.getMessage());
        }
        throw wrong("endpoint must be an http or https URL, not '" + text + "'");
    }

    private static Map<String, String> revisions(Json value) {
        if (!(value instanceof JsonObject object)) {
            throw wrong("revisions must be a mapping from model id to revision, not " + value.kind());
        }
        Map<String, String> found = new java.util.HashMap<>();
        object.members().forEach((model, revision) -> {
            if (!(revision instanceof JsonString(String text)) || text.isBlank()) {
                throw wrong("revisions." + model + " must be a text, not " + revision);
            }
            found.put(model, text);
        });
        return found;
    }

    private static SkulkException wrong(String message) {
        return new SkulkException(Problem.Kind.USER_ERROR, "storage-hub." + message);
    }

    String revision(ModelId model) {
        return revisions.getOrDefault(model.value(), "main");
    }
}
