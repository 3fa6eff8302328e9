package skulk.api.cluster;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What one node tells about itself on the telemetry plane; the newest report wins, parts that have not arrived are empty.
 *
 * @param lastSeen when the membership last vouched for the node
 * @param resources what it can run and how fast, see {@link Resources}
 */
public record NodeInfo(
        Instant lastSeen,
        Optional<Identity> identity,
        Optional<MemoryUsage> memory,
        Optional<DiskUsage> disk,
        Optional<SystemLoad> system,
        List<NetworkInterface> network,
        Optional<Resources> resources) {

    public NodeInfo {
        network = List.copyOf(network);
    }

    /** Who the node is; unknown text is {@code "Unknown"} (contract section 1). */
    public record Identity(
            String modelId,
            String chipId,
            String friendlyName,
            String osVersion,
            String osBuildVersion,
            String skulkVersion,
            String skulkCommit) {}

    public record MemoryUsage(Memory ramTotal, Memory ramAvailable, Memory swapTotal, Memory swapAvailable) {}

    /** The volume that holds the models. */
    public record DiskUsage(Memory total, Memory available) {}

    /** Load and power; fractions in 0…1, degrees Celsius, watts. Zero where the machine does not tell. */
    public record SystemLoad(
            double gpuUsage,
            double temp,
            double sysPower,
            double pcpuUsage,
            double ecpuUsage,
            Optional<Accelerator> accelerator) {}

    public record Accelerator(
            String vendor,
            String name,
            Optional<Double> utilizationRatio,
            Optional<Long> vramTotalBytes,
            Optional<Long> vramUsedBytes,
            Optional<Long> gttTotalBytes,
            Optional<Double> powerWatts,
            Optional<Double> temperatureCelsius,
            Optional<Double> clockMhz) {}

    /** @param interfaceType {@code wifi}, {@code ethernet}, {@code maybe_ethernet}, {@code thunderbolt} or {@code unknown} */
    public record NetworkInterface(String name, String ipAddress, String interfaceType) {}

    /**
     * What a node can run.
     *
     * @param backends names of the engines it offers, such as {@code mlx}
     * @param participation {@code full}, {@value #MANAGEMENT} or {@code ffn_only}
     * @param dataTransport how ranks talk to it, such as {@code tcp}
     * @param readBandwidth measured memory read bandwidth of all processors together, bytes per second; 0 until measured
     * @param threads how many threads a rank there computes with
     * @param engine how fast the engine is there; empty until it has measured itself
     */
    public record Resources(
            List<String> backends,
            String participation,
            String dataTransport,
            double readBandwidth,
            int threads,
            Optional<EngineSpeed> engine) {
        /** The participation of nodes that take no ranks. */
        public static final String MANAGEMENT = "management";

        public Resources {
            backends = List.copyOf(backends);
        }

        public boolean takesRanks() {
            return !participation.equals(MANAGEMENT);
        }

        /** What a node offers whose speed has not been measured. */
        public static Resources unmeasured(List<String> backends, String participation, int threads) {
            return new Resources(backends, participation, "tcp", 0, threads, Optional.empty());
        }
    }
}
