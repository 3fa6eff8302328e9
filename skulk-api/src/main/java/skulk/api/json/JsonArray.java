package skulk.api.json;

import java.util.Iterator;
import java.util.List;

/** A JSON array. */
public record JsonArray(List<Json> items) implements Json, Iterable<Json> {
    public JsonArray {
        items = List.copyOf(items);
    }

    /** An array of the JSON forms of plain Java values. */
    public static JsonArray of(Object... values) {
        return (JsonArray) Json.of(List.of(values));
    }

    @Override
    public Iterator<Json> iterator() {
        return items.iterator();
    }

    public int size() {
        return items.size();
    }

    @Override
    public String toString() {
        return new JsonWriter(0).write(this);
    }
}
