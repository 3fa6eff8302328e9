package skulk.kernel.security;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Tells the node's own pages from others. A browser runs pages of everybody, and lets each of them send requests to this machine; without a key, nothing but
 * the headers {@code Origin} and {@code Host} tells them apart. {@code Host} matters because of DNS rebinding: a page of {@code evil.example} whose name
 * suddenly resolves to 127.0.0.1 is of the node's own origin in the browser's eyes, but still calls it by its own name. Pure.
 *
 * @param origins that {@code api.cors.origins} allows; {@code *} is every one
 * @param names that this node is called by, lower case
 */
record Pages(List<String> origins, Set<String> names) {
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-fA-F:.%]+]");

    /** What a page is to the node. */
    enum Standing {
        /** Of the node itself, or no page at all. */
        OWN,
        /** Of an origin that the configuration names. */
        NAMED,
        /** Of another origin, or at a name that is not the node's. */
        FOREIGN
    }

    Pages {
        origins = List.copyOf(origins);
        names = Set.copyOf(names);
    }

    /** @param anyName whether the node can be called by names that it does not know */
    Standing standing(Authenticator.Page page, boolean anyName) {
        if (page.origin().isPresent()) {
            String origin = page.origin().get();
            if (origins.contains(origin)) {
                return Standing.NAMED;
            }
            int scheme = origin.indexOf("://");
            boolean same = scheme > 0 && origin.substring(scheme + 3).equalsIgnoreCase(page.host());
            return same && (anyName || known(page.host())) ? Standing.OWN : Standing.FOREIGN;
        }
        if (page.site().filter(site -> site.equals("cross-site")).isPresent() && !page.reads()) {
            return Standing.FOREIGN;
        }
        return anyName || known(page.host()) ? Standing.OWN : Standing.FOREIGN;
    }

    /** Whether every page may call, however little it may do. */
    boolean everybody() {
        return origins.contains("*");
    }

    /** Whether a {@code Host} can only mean this node: an address, which DNS cannot rebind, or a name of its own. */
    boolean known(String host) {
        String name = withoutPort(host).toLowerCase(Locale.ROOT);
        if (name.endsWith(".")) {
            name = name.substring(0, name.length() - 1);
        }
        return name.equals("localhost")
                || name.endsWith(".localhost")
                || IPV4.matcher(name).matches()
                || IPV6.matcher(name).matches()
                || names.contains(name);
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }
}
