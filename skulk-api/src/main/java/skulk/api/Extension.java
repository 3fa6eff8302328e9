package skulk.api;

/** Everything a plugin can offer. This list is the map of the system. */
public sealed interface Extension
        permits Membership,
                PlacementStrategy,
                StorageBackend,
                RunnerFactory,
                DrafterFactory,
                HttpFeature,
                HardwareProbe,
                TelemetrySink {
    /** The word that selects it in the configuration; unique among its kind. */
    String name();
}
