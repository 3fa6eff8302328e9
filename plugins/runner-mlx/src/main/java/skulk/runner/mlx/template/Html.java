package skulk.runner.mlx.template;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The little HTML that the filter {@code striptags} needs. */
final class Html {
    private static final Pattern ENTITY =
            Pattern.compile("&(#[0-9]{1,8};?|#[xX][0-9a-fA-F]{1,8};?|[A-Za-z][A-Za-z0-9]*;)");
    private static final Map<String, String> NAMED = Map.ofEntries(
            Map.entry("amp", "&"),
            Map.entry("lt", "<"),
            Map.entry("gt", ">"),
            Map.entry("quot", "\""),
            Map.entry("apos", "'"),
            Map.entry("nbsp", "\u00a0"),
            Map.entry("copy", "\u00a9"),
            Map.entry("reg", "\u00ae"),
            Map.entry("laquo", "\u00ab"),
            Map.entry("raquo", "\u00bb"),
            Map.entry("middot", "\u00b7"),
            Map.entry("deg", "\u00b0"),
            Map.entry("plusmn", "\u00b1"),
            Map.entry("sect", "\u00a7"),
            Map.entry("euro", "\u20ac"),
            Map.entry("pound", "\u00a3"),
            Map.entry("yen", "\u00a5"),
            Map.entry("cent", "\u00a2"),
            Map.entry("hellip", "\u2026"),
            Map.entry("mdash", "\u2014"),
            Map.entry("ndash", "\u2013"),
            Map.entry("lsquo", "\u2018"),
            Map.entry("rsquo", "\u2019"),
            Map.entry("ldquo", "\u201c"),
            Map.entry("rdquo", "\u201d"),
            Map.entry("bull", "\u2022"),
            Map.entry("trade", "\u2122"),
            Map.entry("times", "\u00d7"),
            Map.entry("divide", "\u00f7"),
            Map.entry("auml", "\u00e4"),
            Map.entry("ouml", "\u00f6"),
            Map.entry("uuml", "\u00fc"),
            Map.entry("szlig", "\u00df"),
            Map.entry("eacute", "\u00e9"),
            Map.entry("egrave", "\u00e8"),
            Map.entry("agrave", "\u00e0"),
            Map.entry("ccedil", "\u00e7"),
            Map.entry("ntilde", "\u00f1"));

    private Html() {}

    /** Removes comments and tags, makes each run of white space one blank, and resolves entities. */
    static String stripTags(String text, Render render) {
        render.work(text.length());
        String plain = without(without(text, "<!--", "-->"), "<", ">");
        return unescape(String.join(" ", StringSearch.wordsLeft(plain, Long.MAX_VALUE)));
    }

    private static String without(String text, String open, String close) {
        StringBuilder kept = new StringBuilder();
        int from = 0;
        int start = text.indexOf(open);
        while (start >= 0) {
            int end = text.indexOf(close, start);
            if (end < 0) {
                break;
            }
            kept.append(text, from, start);
            from = end + close.length();
            start = text.indexOf(open, from);
        }
        return kept.append(text.substring(from)).toString();
    }

    /** Numeric entities and the usual named ones; others stay. */
    static String unescape(String text) {
        Matcher matcher = ENTITY.matcher(text);
        StringBuilder result = new StringBuilder();
        while (matcher.find()) {
            matcher.appendReplacement(result, Matcher.quoteReplacement(entity(matcher.group(1), matcher.group())));
        }
        return matcher.appendTail(result).toString();
    }

    private static String entity(String body, String whole) {
        String name = body.endsWith(";") ? body.substring(0, body.length() - 1) : body;
        if (!name.startsWith("#")) {
            return NAMED.getOrDefault(name, whole);
        }
        boolean hex = name.charAt(1) == 'x' || name.charAt(1) == 'X';
        long code = Long.parseLong(name.substring(hex ? 2 : 1), hex ? 16 : 10);
        boolean valid = code > 0 && code <= Character.MAX_CODE_POINT && !(code >= 0xd800 && code < 0xe000);
        return valid ? Character.toString((int) code) : "\ufffd";
    }
}
