package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A Python dict: insertion ordered, keys equal as Python has it ({@code 1}, {@code 1.0} and {@code True} are one). */
final class PyDict {
    private final Map<Object, Object> values = new LinkedHashMap<>();
    /** The keys that are not their own hash key; most dicts have only strings and leave this empty. */
    private Map<Object, Object> originals = Map.of();

    static PyDict ofNames(Map<String, Object> entries) {
        PyDict dict = new PyDict();
        dict.values.putAll(entries);
        return dict;
    }

    void put(Object key, Object value) {
        Object hash = HashKey.of(key);
        if (hash != key && !values.containsKey(hash)) {
            if (originals.isEmpty()) {
                originals = new HashMap<>();
            }
            originals.put(hash, key);
        }
        values.put(hash, value);
    }

    void putAll(PyDict other) {
        for (Object key : other.keys()) {
            put(key, other.get(key));
        }
    }

    /** The value, or {@link Missing#MISSING}. */
    Object get(Object key) {
        Object hash = key instanceof String ? key : HashKey.of(key);
        Object value = values.get(hash);
        return value == null && !values.containsKey(hash) ? Missing.MISSING : value;
    }

    boolean contains(Object key) {
        return values.containsKey(HashKey.of(key));
    }

    int size() {
        return values.size();
    }

    List<Object> keys() {
        List<Object> keys = new ArrayList<>(values.size());
        values.keySet().forEach(hash -> keys.add(original(hash)));
        return keys;
    }

    List<Object> values() {
        return new ArrayList<>(values.values());
    }

    List<Object> items() {
        List<Object> items = new ArrayList<>(values.size());
        values.forEach((hash, value) -> items.add(PyTuple.of(original(hash), value)));
        return items;
    }

    private Object original(Object hash) {
        return originals.isEmpty() || !originals.containsKey(hash) ? hash : originals.get(hash);
    }
}
