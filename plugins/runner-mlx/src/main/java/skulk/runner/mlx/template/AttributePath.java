package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;

/**
 * The argument {@code attribute} of a filter: names and positions with points between them.
 *
 * @param parts what to look up, one in the other
 */
record AttributePath(List<Object> parts) {
    static AttributePath of(Object attribute) {
        String text = Str.of(attribute);
        if (text == null) {
            return new AttributePath(attribute == null ? List.of() : List.of(attribute));
        }
        List<Object> parts = new ArrayList<>();
        for (String part : text.split("\\.", -1)) {
            boolean number =
                    !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            parts.add(number ? (Object) Long.valueOf(part) : part);
        }
        return new AttributePath(parts);
    }

    /** Several paths with commas between them. */
    static List<AttributePath> several(Object attribute) {
        String text = Str.of(attribute);
        List<AttributePath> paths = new ArrayList<>();
        if (text == null) {
            paths.add(of(attribute));
        } else {
            for (String part : text.split(",", -1)) {
                paths.add(of(part));
            }
        }
        return paths;
    }

    Object get(Object item, Render render) {
        return get(item, null, render);
    }

    /** Looks up with a default for each part that is undefined; null for none. */
    Object get(Object item, Object otherwise, Render render) {
        Object value = item;
        for (Object part : parts) {
            value = Attributes.getItem(value, part, render);
            if (otherwise != null && value instanceof Undefined) {
                value = otherwise;
            }
        }
        return value;
    }
}
