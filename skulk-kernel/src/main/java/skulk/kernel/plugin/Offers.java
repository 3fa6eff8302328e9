package skulk.kernel.plugin;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import skulk.api.DrafterFactory;
import skulk.api.Extension;
import skulk.api.HardwareProbe;
import skulk.api.HttpFeature;
import skulk.api.Membership;
import skulk.api.PlacementStrategy;
import skulk.api.RunnerFactory;
import skulk.api.StorageBackend;
import skulk.api.TelemetrySink;
import skulk.api.http.Route;

/** What the started plugins offer at one moment, in the order of plugin ids. Immutable. */
public record Offers(List<Origin> origins) {

    public static final Offers NONE = new Offers(List.of());

    public Offers {
        origins = List.copyOf(origins);
    }

    /**
     * One offer and where it comes from.
     *
     * @param plugin the plugin's id
     * @param file the plugin's folder or jar
     * @param routes of an {@link HttpFeature}, asked once; empty for other kinds
     */
    public record Origin(Extension extension, String plugin, Path file, List<Route> routes) {
        public Origin {
            routes = List.copyOf(routes);
        }
    }

    public List<Membership> memberships() {
        return all(Membership.class);
    }

    public List<PlacementStrategy> placements() {
        return all(PlacementStrategy.class);
    }

    public List<StorageBackend> storages() {
        return all(StorageBackend.class);
    }

    public List<RunnerFactory> runners() {
        return all(RunnerFactory.class);
    }

    public List<DrafterFactory> drafters() {
        return all(DrafterFactory.class);
    }

    public List<HttpFeature> features() {
        return all(HttpFeature.class);
    }

    public List<HardwareProbe> probes() {
        return all(HardwareProbe.class);
    }

    public List<TelemetrySink> sinks() {
        return all(TelemetrySink.class);
    }

    /** Where an offer comes from. */
    public Optional<Origin> origin(Extension extension) {
        return origins.stream().filter(o -> o.extension() == extension).findFirst();
    }

    /** The folders or jars that a rank process needs: those that offer runners or drafters. */
    public List<Path> rankFiles() {
        return origins.stream()
                .filter(o -> o.extension() instanceof RunnerFactory || o.extension() instanceof DrafterFactory)
                .map(Origin::file)
                .distinct()
                .toList();
    }

    /** The word for an extension's kind in listings. This switch is the map: a new kind does not compile until it has a place here. */
    static String kind(Extension extension) {
        return switch (extension) {
            case Membership m -> "membership";
            case PlacementStrategy p -> "placement";
            case StorageBackend s -> "storage";
            case RunnerFactory r -> "runner";
            case DrafterFactory d -> "drafter";
            case HttpFeature f -> "http";
            case HardwareProbe p -> "probe";
            case TelemetrySink s -> "sink";
        };
    }

    private <E extends Extension> List<E> all(Class<E> kind) {
        return origins.stream()
                .map(Origin::extension)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }
}
