package skulk.runner.mlx.template;

import static skulk.runner.mlx.template.Filters.put;

import java.util.List;
import java.util.Map;

/** The filters that break, cut and indent text. */
final class LayoutFilters {
    private LayoutFilters() {}

    static void addTo(Map<String, Callable> all) {
        put(all, "indent", 1, "s width first blank", (render, a) -> indent(a, render));
        put(all, "truncate", 1, "s length killwords end leeway", (render, a) -> truncate(a, render));
        put(all, "wordwrap", 1, "s width break_long_words wrapstring break_on_hyphens", (render, a) -> {
            String wrap = a.given(3) ? a.text(3) : "\n";
            TextWrap wrapper = new TextWrap(a.integer(1, 79), a.flag(2, true), a.flag(4, true));
            Text result = new Text(render);
            boolean first = true;
            for (String line : StringSearch.lines(a.text(0), false)) {
                render.step();
                List<String> wrapped = wrapper.wrap(line);
                result.add(first ? "" : wrap).add(String.join(wrap, wrapped));
                first = false;
            }
            return result.toString();
        });
    }

    private static Object indent(Bound a, Render render) {
        Object value = a.get(0);
        if (!Types.isString(value)) {
            if (value instanceof Undefined undefined) {
                throw undefined.failure();
            }
            Operators.binary("+", value, "\n", render);
            throw Undefined.member(value, "splitlines", render).failure();
        }
        boolean safe = value instanceof Markup;
        String width = a.has(1) && Types.isString(a.get(1))
                ? safe ? Markup.escape(a.get(1), render).text() : a.text(1)
                : new Text(render).repeat(" ", a.integer(1, 4)).toString();
        List<String> lines = StringSearch.lines(a.text(0) + "\n", false);
        boolean blank = a.flag(3, false);
        Text result = new Text(render).add(a.flag(2, false) ? width : "");
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            result.add(i == 0 ? "" : "\n");
            result.add(i > 0 && (blank || !line.isEmpty()) ? width : "").add(line);
        }
        return safe ? new Markup(result.toString()) : result.toString();
    }

    private static Object truncate(Bound a, Render render) {
        long length = a.integer(1, 255);
        String end = a.text(3, "...");
        long leeway = a.given(4) ? a.integer(4, 5) : 5;
        int endLength = Str.length(end);
        if (length < endLength) {
            throw Errors.assertion("expected length >= " + endLength + ", got " + length);
        }
        if (leeway < 0) {
            throw Errors.assertion("expected leeway >= 0, got " + leeway);
        }
        if ((long) Types.length(a.get(0)) <= length + leeway) {
            return a.get(0);
        }
        String cut = Str.part(a.text(0), 0, (int) (length - endLength));
        if (!a.flag(2, false)) {
            int space = cut.lastIndexOf(' ');
            cut = space < 0 ? cut : cut.substring(0, space);
        }
        return Operators.concat(cut, end, render);
    }
}
