package skulk.runner.mlx.template;

import java.util.ArrayList;
import java.util.List;

/** Python's {@code pprint.pformat}: dicts in the order of their keys, lines of at most 80 characters. */
final class PrettyPrinter {
    private static final int WIDTH = 80;

    private final Render render;
    private final Text text;

    PrettyPrinter(Render render) {
        this.render = render;
        this.text = new Text(render);
    }

    String print(Object value) {
        format(value, 0, 0);
        return text.toString();
    }

    /**
     * @param indent column at which the value starts
     * @param allowance columns needed behind it
     */
    private void format(Object value, int indent, int allowance) {
        render.enter();
        try {
            String line = Repr.repr(sorted(value), render);
            if (Str.length(line) <= WIDTH - indent - allowance) {
                text.add(line);
                return;
            }
            switch (value) {
                case PyDict dict when dict.size() > 0 -> dict(dict, indent, allowance);
                case List<?> list -> elements(list, "[", "]", indent, allowance);
                case PyTuple tuple -> elements(tuple.items(), "(", tuple.size() == 1 ? ",)" : ")", indent, allowance);
                case null, default -> text.add(line);
            }
        } finally {
            render.leave();
        }
    }

    private void dict(PyDict dict, int indent, int allowance) {
        text.add("{");
        List<Object> keys = sortedKeys(dict);
        for (int i = 0; i < keys.size(); i++) {
            boolean last = i == keys.size() - 1;
            String key = Repr.repr(keys.get(i), render);
            text.add(key).add(": ");
            format(dict.get(keys.get(i)), indent + 1 + Str.length(key) + 2, last ? allowance + 1 : 1);
            text.add(last ? "" : ",\n").repeat(" ", last ? 0 : indent + 1L);
        }
        text.add("}");
    }

    private void elements(List<?> items, String open, String close, int indent, int allowance) {
        text.add(open);
        for (int i = 0; i < items.size(); i++) {
            boolean last = i == items.size() - 1;
            format(items.get(i), indent + 1, last ? allowance + close.length() : 1);
            text.add(last ? "" : ",\n").repeat(" ", last ? 0 : indent + 1L);
        }
        text.add(close);
    }

    private List<Object> sortedKeys(PyDict dict) {
        List<Object> keys = dict.keys();
        try {
            return Compare.sort(keys, new ArrayList<>(keys), false, render);
        } catch (TemplateLimitException e) {
            throw e;
        } catch (TemplateRenderException e) {
            return keys;
        }
    }

    private Object sorted(Object value) {
        render.step();
        return switch (value) {
            case PyDict dict -> {
                PyDict copy = new PyDict();
                sortedKeys(dict).forEach(key -> copy.put(key, sorted(dict.get(key))));
                yield copy;
            }
            case List<?> list -> {
                List<Object> copy = new ArrayList<>();
                list.forEach(item -> copy.add(sorted(item)));
                yield copy;
            }
            case PyTuple tuple -> {
                List<Object> copy = new ArrayList<>();
                tuple.items().forEach(item -> copy.add(sorted(item)));
                yield PyTuple.of(copy);
            }
            case null, default -> value;
        };
    }
}
