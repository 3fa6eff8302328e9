package skulk.api.fake;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

/** Makes bad request bodies of good ones, the same ones for the same seed. One thread. */
public final class MalformedJson {
    private final Random random = new Random(42);
    private final List<String> junk;

    /** @param junk JSON texts to put where they do not belong */
    public MalformedJson(List<String> junk) {
        this.junk = List.copyOf(junk);
    }

    /** A body with one thing in it replaced, removed or added, now and then cut off. */
    public String of(Json good) {
        String body = mutate(good).toString();
        return random.nextInt(10) == 0 ? body.substring(0, random.nextInt(body.length())) : body;
    }

    private Json mutate(Json value) {
        if (random.nextInt(6) == 0) {
            return Json.parse(junk.get(random.nextInt(junk.size())));
        }
        return switch (value) {
            case JsonObject object
            when !object.members().isEmpty() -> {
                Map<String, Json> members = new LinkedHashMap<>(object.members());
                String name = List.copyOf(members.keySet()).get(random.nextInt(members.size()));
                switch (random.nextInt(8)) {
                    case 0 -> members.remove(name);
                    case 1 -> members.put("surprise", Json.NULL);
                    default -> members.put(name, mutate(members.get(name)));
                }
                yield Json.of(members);
            }
            case JsonArray array
            when array.size() > 0 -> {
                List<Json> items = new ArrayList<>(array.items());
                int at = random.nextInt(items.size());
                items.set(at, mutate(items.get(at)));
                yield new JsonArray(items);
            }
            default -> Json.parse(junk.get(random.nextInt(junk.size())));
        };
    }
}
