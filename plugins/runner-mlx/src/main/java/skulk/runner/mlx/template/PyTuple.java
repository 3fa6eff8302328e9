package skulk.runner.mlx.template;

import java.util.Arrays;
import java.util.List;

/**
 * A Python tuple.
 *
 * @param items its elements, never changed
 * @param names the attributes that read the elements, for a named tuple; else empty
 */
record PyTuple(List<Object> items, List<String> names) {
    static PyTuple of(Object... items) {
        return new PyTuple(Arrays.asList(items), List.of());
    }

    static PyTuple of(List<Object> items) {
        return new PyTuple(items, List.of());
    }

    int size() {
        return items.size();
    }
}
