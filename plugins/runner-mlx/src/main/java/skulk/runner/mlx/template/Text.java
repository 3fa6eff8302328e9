package skulk.runner.mlx.template;

/** A string under construction whose growth is charged to the rendering. */
final class Text {
    private final Render render;
    private final StringBuilder chars = new StringBuilder();

    Text(Render render) {
        this.render = render;
    }

    Text add(String part) {
        render.work(part.length());
        room(part.length());
        chars.append(part);
        return this;
    }

    Text add(char part) {
        render.work(1);
        room(1);
        chars.append(part);
        return this;
    }

    Text add(String part, int from, int to) {
        render.work(to - from);
        room(to - from);
        chars.append(part, from, to);
        return this;
    }

    Text addCodePoint(int codePoint) {
        render.work(2);
        room(2);
        chars.appendCodePoint(codePoint);
        return this;
    }

    Text repeat(String part, long count) {
        if (count > 0 && !part.isEmpty()) {
            render.work(Math.multiplyExact(Math.min(count, Integer.MAX_VALUE), (long) part.length()));
            room(count * part.length());
            chars.repeat(part, (int) count);
        }
        return this;
    }

    private void room(long more) {
        render.length(chars.length() + more);
    }

    int length() {
        return chars.length();
    }

    @Override
    public String toString() {
        return chars.toString();
    }
}
