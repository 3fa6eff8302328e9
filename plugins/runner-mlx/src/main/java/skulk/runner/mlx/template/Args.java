package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The arguments of a call.
 *
 * @param positional in order
 * @param named in order
 */
record Args(List<Object> positional, Map<String, Object> named) {
    static final Args NONE = new Args(List.of(), Map.of());

    static Args of(Object... positional) {
        return new Args(java.util.Arrays.asList(positional), Map.of());
    }

    Args prepend(Object first) {
        List<Object> all = new ArrayList<>(positional.size() + 1);
        all.add(first);
        all.addAll(positional);
        return new Args(all, named);
    }

    /** All but the first {@code count} positional arguments. */
    Args skip(int count) {
        return new Args(positional.subList(count, positional.size()), named);
    }

    Args with(String name, Object value) {
        Map<String, Object> all = new LinkedHashMap<>(named);
        all.put(name, value);
        return new Args(positional, all);
    }
}
