package skulk.runner.mlx.template;

/**
 * A string marked safe for HTML. It prints as its text, and escapes what is joined to it.
 *
 * @param text the HTML
 */
record Markup(String text) {
    /** Escapes a value as MarkupSafe does, unless it is safe already. */
    static Markup escape(Object value, Render render) {
        if (value instanceof Markup safe) {
            return safe;
        }
        String plain = Repr.str(value, render);
        Text escaped = new Text(render);
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            switch (c) {
                case '&' -> escaped.add("&amp;");
                case '<' -> escaped.add("&lt;");
                case '>' -> escaped.add("&gt;");
                case '"' -> escaped.add("&#34;");
                case '\'' -> escaped.add("&#39;");
                default -> escaped.add(c);
            }
        }
        return new Markup(escaped.toString());
    }
}
