package skulk.kernel.plugin;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.http.Route;

/** Finds what two plugins cannot both offer: a route, or a name within one kind. Pure. */
final class Clashes {
    private Clashes() {}

    /** Why these offers cannot join those already there (or contradict themselves); empty where they can. */
    static Optional<String> find(List<Offers.Origin> there, List<Offers.Origin> joining) {
        List<Offers.Origin> all = new ArrayList<>(there);
        for (Offers.Origin next : joining) {
            for (Offers.Origin other : all) {
                Optional<String> clash = clash(other, next);
                if (clash.isPresent()) {
                    return clash;
                }
            }
            all.add(next);
        }
        return Optional.empty();
    }

    private static Optional<String> clash(Offers.Origin one, Offers.Origin other) {
        String kind = Offers.kind(other.extension());
        if (kind.equals(Offers.kind(one.extension()))
                && one.extension().name().equals(other.extension().name())) {
            return Optional.of("offers %s '%s', which %s offers already; disable one of them in plugins.disabled"
                    .formatted(kind, other.extension().name(), one.plugin()));
        }
        for (Route a : one.routes()) {
            for (Route b : other.routes()) {
                if (a.method().equals(b.method()) && shape(a.path()).equals(shape(b.path()))) {
                    return Optional.of(
                            "claims the route %s %s, which %s has as %s; disable one of them in plugins.disabled"
                                    .formatted(b.method(), b.path(), one.plugin(), a.path()));
                }
            }
        }
        return Optional.empty();
    }

    /** A path without the names of its parameters. */
    private static String shape(String path) {
        return path.replaceAll("\\{[^}+]*(\\+?)}", "{$1}");
    }
}
