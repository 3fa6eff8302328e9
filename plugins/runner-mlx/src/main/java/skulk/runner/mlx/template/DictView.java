package skulk.runner.mlx.template;

import java.util.List;

/**
 * What {@code dict.keys()}, {@code values()} and {@code items()} return.
 *
 * @param dict the dict looked at
 * @param kind which of the three
 */
record DictView(PyDict dict, Kind kind) {
    enum Kind {
        KEYS,
        VALUES,
        ITEMS
    }

    List<Object> list() {
        return switch (kind) {
            case KEYS -> dict.keys();
            case VALUES -> dict.values();
            case ITEMS -> dict.items();
        };
    }

    String typeName() {
        return switch (kind) {
            case KEYS -> "dict_keys";
            case VALUES -> "dict_values";
            case ITEMS -> "dict_items";
        };
    }
}
