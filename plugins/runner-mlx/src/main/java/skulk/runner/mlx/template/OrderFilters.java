package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Filters.put;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The filters that compare elements: sorting, grouping, extremes. */
final class OrderFilters {
    private OrderFilters() {}

    static void addTo(Map<String, Callable> all) {
        put(all, "sort", 1, "value reverse case_sensitive attribute", (render, a) -> sort(a, render));
        put(all, "dictsort", 1, "value case_sensitive by reverse", (render, a) -> dictSort(a, render));
        put(all, "unique", 1, "value case_sensitive attribute", (render, a) -> unique(a, render));
        put(all, "min", 1, "value case_sensitive attribute", (render, a) -> extreme(a, "<", render));
        put(all, "max", 1, "value case_sensitive attribute", (render, a) -> extreme(a, ">", render));
        put(all, "groupby", 2, "value attribute default case_sensitive", (render, a) -> groupBy(a, render));
    }

    /** What a value is compared by: strings without their case, unless that matters. */
    private static Object key(Object value, boolean caseSensitive) {
        String text = Str.of(value);
        return text == null || caseSensitive ? value : text.toLowerCase(Locale.ROOT);
    }

    private static List<Object> sort(Bound a, Render render) {
        List<AttributePath> paths = AttributePath.several(a.get(3, null));
        boolean caseSensitive = a.flag(2, false);
        List<Object> items = Types.list(a.get(0), render);
        List<Object> keys = new ArrayList<>(items.size());
        for (Object item : items) {
            List<Object> key = new ArrayList<>(paths.size());
            paths.forEach(path -> key.add(key(path.get(item, render), caseSensitive)));
            keys.add(key);
        }
        return Compare.sort(items, keys, a.integer(1, 0) != 0, render);
    }

    private static List<Object> dictSort(Bound a, Render render) {
        String by = Repr.str(a.get(2, "key"), render);
        if (!by.equals("key") && !by.equals("value")) {
            throw Errors.jinja("You can only sort by either \"key\" or \"value\"");
        }
        if (!(a.get(0) instanceof PyDict dict)) {
            throw a.get(0) instanceof Undefined undefined
                    ? undefined.failure()
                    : Undefined.member(a.get(0), "items", render).failure();
        }
        boolean caseSensitive = a.flag(1, false);
        List<Object> keys = new ArrayList<>();
        (by.equals("key") ? dict.keys() : dict.values()).forEach(value -> keys.add(key(value, caseSensitive)));
        return Compare.sort(dict.items(), keys, a.integer(3, 0) != 0, render);
    }

    private static Object unique(Bound a, Render render) {
        AttributePath path = AttributePath.of(a.get(2, null));
        boolean caseSensitive = a.flag(1, false);
        return SequenceFilters.lazy(() -> {
            Set<Object> seen = new HashSet<>();
            List<Object> unique = new ArrayList<>();
            for (Iterator<Object> items = Types.iterate(a.get(0)); items.hasNext(); ) {
                render.elements(1);
                Object item = items.next();
                if (seen.add(HashKey.of(key(path.get(item, render), caseSensitive)))) {
                    unique.add(item);
                }
            }
            return unique.iterator();
        });
    }

    private static Object extreme(Bound a, String operator, Render render) {
        AttributePath path = AttributePath.of(a.get(2, null));
        boolean caseSensitive = a.flag(1, false);
        Iterator<Object> items = Types.iterate(a.get(0));
        if (!items.hasNext()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Object best = items.next();
        Object bestKey = key(path.get(best, render), caseSensitive);
        while (items.hasNext()) {
            render.step();
            Object item = items.next();
            Object key = key(path.get(item, render), caseSensitive);
            if (Compare.ordered(key, bestKey, operator, render)) {
                best = item;
                bestKey = key;
            }
        }
        return best;
    }

    private static List<Object> groupBy(Bound a, Render render) {
        AttributePath path = AttributePath.of(a.get(1));
        Object otherwise = a.get(2, null);
        boolean caseSensitive = a.flag(3, false);
        List<Object> items = Types.list(a.get(0), render);
        List<Object> keys = new ArrayList<>(items.size());
        items.forEach(item -> keys.add(key(path.get(item, otherwise, render), caseSensitive)));
        List<Object> groups = new ArrayList<>();
        List<Object> group = new ArrayList<>();
        Object groupKey = Missing.MISSING;
        for (Object item : Compare.sort(items, keys, false, render)) {
            Object key = key(path.get(item, otherwise, render), caseSensitive);
            if (groupKey == Missing.MISSING || !Compare.equal(groupKey, key, render)) {
                group = new ArrayList<>();
                groupKey = key;
                Object shown = path.get(item, otherwise, render);
                groups.add(new PyTuple(java.util.Arrays.asList(shown, group), List.of("grouper", "list")));
            }
            group.add(item);
        }
        return groups;
    }
}
