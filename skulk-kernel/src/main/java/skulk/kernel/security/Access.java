package skulk.kernel.security;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import skulk.kernel.config.Configuration;
import skulk.kernel.config.Keys;

/**
 * Who needs no key, and what pages are trusted.
 *
 * @param insecure whether everybody may do everything
 * @param loopbackOpen whether callers on this machine need no key
 * @param origins that pages may call from; {@code *} is every one
 * @param names that the node is called by, besides localhost and addresses
 */
public record Access(boolean insecure, boolean loopbackOpen, List<String> origins, Set<String> names) {
    public Access {
        origins = List.copyOf(origins);
        names = Set.copyOf(names);
    }

    /** As the configuration has it; the machine's own name is always among the names. */
    public static Access of(Configuration configuration) {
        Set<String> names = new HashSet<>();
        configuration.get(Keys.API_NAMES).forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
        names.add(configuration.get(Keys.API_HOST).toLowerCase(Locale.ROOT));
        try {
            names.add(InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT));
        } catch (UnknownHostException e) {
            // a machine without a name of its own is called by address
        }
        return new Access(
                configuration.get(Keys.API_INSECURE),
                configuration.get(Keys.API_LOOPBACK_OPEN),
                configuration.get(Keys.API_CORS_ORIGINS),
                names);
    }
}
