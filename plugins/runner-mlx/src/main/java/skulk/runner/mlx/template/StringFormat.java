package skulk.runner.mlx.template;

import java.util.List;

/** {@code str.format}, with the sandbox's rules for what a field may look into. */
final class StringFormat {
    private final Args args;
    private final Render render;
    private int automatic;

    private StringFormat(Args args, Render render) {
        this.args = args;
        this.render = render;
    }

    /** The methods format and format_map, or {@link Missing#MISSING}. */
    static Object method(String self, String name) {
        return switch (name) {
            case "format" -> (Callable) (render, args) -> format(self, args, render);
            case "format_map" ->
                (Callable) (render, args) -> {
                    if (args.positional().size() != 1 || !(args.positional().getFirst() instanceof PyDict dict)) {
                        throw Errors.type("format_map() takes exactly one mapping");
                    }
                    Args named = Args.NONE;
                    for (Object key : dict.keys()) {
                        named = named.with(Repr.str(key, render), dict.get(key));
                    }
                    return format(self, named, render);
                };
            default -> Missing.MISSING;
        };
    }

    static String format(String format, Args args, Render render) {
        return new StringFormat(args, render).expand(format, 2);
    }

    private String expand(String format, int depth) {
        if (depth < 0) {
            throw Errors.value("Max string recursion exceeded");
        }
        Text result = new Text(render);
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '{' && c != '}') {
                result.add(c);
            } else if (i + 1 < format.length() && format.charAt(i + 1) == c) {
                result.add(c);
                i++;
            } else if (c == '}') {
                throw Errors.value("Single '}' encountered in format string");
            } else {
                int end = closing(format, i + 1);
                result.add(field(format.substring(i + 1, end), depth));
                i = end;
            }
        }
        return result.toString();
    }

    private static int closing(String format, int from) {
        int open = 1;
        for (int i = from; i < format.length(); i++) {
            open += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
            if (open == 0) {
                return i;
            }
        }
        throw Errors.value(
                from >= format.length()
                        ? "Single '{' encountered in format string"
                        : "expected '}' before end of string");
    }

    private String field(String field, int depth) {
        int nameEnd = nameEnd(field);
        String name = field.substring(0, nameEnd);
        String rest = field.substring(nameEnd);
        char conversion = ' ';
        if (rest.startsWith("!")) {
            if (rest.length() < 2) {
                throw Errors.value("end of string while looking for conversion specifier");
            }
            conversion = rest.charAt(1);
            rest = rest.substring(2);
            if (!rest.isEmpty() && rest.charAt(0) != ':') {
                throw Errors.value("expected ':' after conversion specifier");
            }
        }
        Object value = convert(value(name), conversion);
        String spec = rest.isEmpty() ? "" : expand(rest.substring(1), depth - 1);
        return FormatSpec.format(value, spec, render);
    }

    private static int nameEnd(String field) {
        boolean bracket = false;
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            bracket = c == '[' || bracket && c != ']';
            if (!bracket && (c == '!' || c == ':')) {
                return i;
            }
        }
        return field.length();
    }

    private Object convert(Object value, char conversion) {
        return switch (conversion) {
            case ' ' -> value;
            case 's' -> Repr.str(value, render);
            case 'r' -> Repr.repr(value, render);
            case 'a' -> ascii(Repr.repr(value, render));
            default -> throw Errors.value("Unknown conversion specifier " + conversion);
        };
    }

    /** Escapes what is not ASCII. */
    static String ascii(String text) {
        StringBuilder result = new StringBuilder();
        text.codePoints().forEach(c -> result.append(c < 128 ? Character.toString(c) : Repr.hex(c)));
        return result.toString();
    }

    private Object value(String field) {
        int end = 0;
        while (end < field.length() && field.charAt(end) != '.' && field.charAt(end) != '[') {
            end++;
        }
        Object value = first(field.substring(0, end));
        while (end < field.length()) {
            boolean attribute = field.charAt(end) == '.';
            int start = end + 1;
            end = start;
            while (end < field.length()
                    && (attribute ? ".[".indexOf(field.charAt(end)) < 0 : field.charAt(end) != ']')) {
                end++;
            }
            String key = field.substring(start, end);
            if (key.isEmpty()) {
                throw Errors.value("Empty attribute in format string");
            }
            if (attribute) {
                value = Attributes.getAttribute(value, key, render);
            } else {
                if (end >= field.length()) {
                    throw Errors.value("Missing ']' in format string");
                }
                end++;
                value = Attributes.getItem(value, isNumber(key) ? (Object) Long.valueOf(key) : key, render);
            }
        }
        return value;
    }

    private static boolean isNumber(String key) {
        return !key.isEmpty() && key.length() < 10 && key.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private Object first(String name) {
        if (!name.isEmpty() && !isNumber(name)) {
            if (!args.named().containsKey(name)) {
                throw Errors.key(Repr.quote(name));
            }
            return args.named().get(name);
        }
        if (name.isEmpty() ? automatic < 0 : automatic > 0) {
            throw Errors.value(
                    name.isEmpty()
                            ? "cannot switch from manual field specification to automatic field numbering"
                            : "cannot switch from automatic field numbering to manual field specification");
        }
        int index = name.isEmpty() ? automatic++ : Integer.parseInt(name);
        if (!name.isEmpty()) {
            automatic = -1;
        }
        List<Object> positional = args.positional();
        if (index >= positional.size()) {
            throw Errors.index("Replacement index " + index + " out of range for positional args tuple");
        }
        return positional.get(index);
    }
}
