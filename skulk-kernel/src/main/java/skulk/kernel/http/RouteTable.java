package skulk.kernel.http;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import skulk.api.http.Route;

/**
 * Finds the route of a request. Literal segments win over {@code {parameter}} ones, these over {@code {parameter+}} ones, from left to right. Immutable: a
 * rescan makes a new one.
 */
final class RouteTable {
    private final List<Entry> entries;

    /** What a request meets. */
    sealed interface Match {}

    /** @param parameters decoded, by name */
    record Found(Mount mount, Route route, Map<String, String> parameters) implements Match {}

    /** The path exists, for these methods. */
    record WrongMethod(Set<String> allowed) implements Match {}

    record Nothing() implements Match {}

    private record Entry(Mount mount, Route route, List<String> segments, String order) {
        static Entry of(Mount mount, Route route) {
            List<String> segments = split(route.path());
            StringBuilder order = new StringBuilder();
            segments.forEach(s -> order.append(isRest(s) ? 'c' : isParameter(s) ? 'b' : 'a'));
            return new Entry(mount, route, segments, order.toString());
        }

        /** Takes the whole site, as the pages of a dashboard do: such a route does not make other methods of a path known. */
        boolean catchAll() {
            return order.startsWith("c");
        }
    }

    RouteTable(List<Mount> mounts) {
        List<Entry> all = new ArrayList<>();
        mounts.forEach(mount -> mount.routes().forEach(route -> all.add(Entry.of(mount, route))));
        all.sort(Comparator.comparing(Entry::order));
        this.entries = List.copyOf(all);
    }

    /** Matches a method and a raw path; HEAD is answered by GET. @throws skulk.api.problem.SkulkException on broken encoding */
    Match match(String method, String rawPath) {
        Match match = matchExactly(method, rawPath);
        boolean slash = rawPath.length() > 1 && rawPath.endsWith("/");
        return match instanceof Nothing && slash
                ? matchExactly(method, rawPath.substring(0, rawPath.length() - 1))
                : match;
    }

    private Match matchExactly(String method, String rawPath) {
        List<String> path = new ArrayList<>();
        split(rawPath).forEach(segment -> path.add(Percent.decode(segment, false)));
        Set<String> allowed = new TreeSet<>();
        for (Entry entry : entries) {
            if (entry.catchAll() && !allowed.isEmpty()) {
                break;
            }
            Map<String, String> parameters = new HashMap<>();
            if (matches(entry.segments(), 0, path, 0, parameters)) {
                if (serves(entry.route().method(), method)) {
                    return new Found(entry.mount(), entry.route(), parameters);
                }
                if (!entry.catchAll()) {
                    allowed.add(entry.route().method());
                }
            }
        }
        if (allowed.contains("GET")) {
            allowed.add("HEAD");
        }
        return allowed.isEmpty() ? new Nothing() : new WrongMethod(allowed);
    }

    private static boolean serves(String route, String method) {
        return route.equals(method) || (method.equals("HEAD") && route.equals("GET"));
    }

    private static boolean matches(
            List<String> template, int at, List<String> path, int from, Map<String, String> parameters) {
        if (at == template.size()) {
            return from == path.size();
        }
        String segment = template.get(at);
        if (isRest(segment)) {
            // the longest match first: what follows is literal and short
            for (int end = path.size(); end > from; end--) {
                if (matches(template, at + 1, path, end, parameters)) {
                    parameters.put(
                            segment.substring(1, segment.length() - 2), String.join("/", path.subList(from, end)));
                    return true;
                }
            }
            return false;
        }
        if (from == path.size()) {
            return false;
        }
        if (isParameter(segment)) {
            if (path.get(from).isEmpty() || !matches(template, at + 1, path, from + 1, parameters)) {
                return false;
            }
            parameters.put(segment.substring(1, segment.length() - 1), path.get(from));
            return true;
        }
        return segment.equals(path.get(from)) && matches(template, at + 1, path, from + 1, parameters);
    }

    private static List<String> split(String path) {
        String relative = path.startsWith("/") ? path.substring(1) : path;
        return Arrays.asList(relative.split("/", -1));
    }

    private static boolean isParameter(String segment) {
        return segment.startsWith("{") && segment.endsWith("}");
    }

    private static boolean isRest(String segment) {
        return segment.startsWith("{") && segment.endsWith("+}");
    }
}
