package skulk.kernel.telemetry;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import skulk.api.HardwareProbe;
import skulk.api.cluster.Memory;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.NodeInfo.DiskUsage;
import skulk.api.cluster.NodeInfo.Identity;
import skulk.api.cluster.NodeInfo.MemoryUsage;
import skulk.api.cluster.NodeInfo.Resources;
import skulk.api.cluster.NodeInfo.SystemLoad;
import skulk.kernel.node.Build;

/**
 * The probe that is always there: the JDK's own beans, and {@code /proc} and {@code /sys} where the system is Linux. Used by one thread.
 *
 * <p>Parts have their own cadence (contract section 1): memory and load with every reading, interfaces each 10 s, the disk each 30 s, identity and resources each 60 s, resources also when they change;
 * between them the parts are empty.
 */
public final class MachineProbe implements HardwareProbe {
    private static final String UNKNOWN = "Unknown";

    private final Path models;
    private final String friendlyName;
    private final String version;
    private final Supplier<Resources> resources;
    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private long readings;
    private Resources told = Resources.unmeasured(List.of(), "", 0);

    /**
     * @param models a directory on the volume that holds the models
     * @param resources what the node can run; asked with every reading, told when it changes
     */
    public MachineProbe(Path models, String friendlyName, String version, Supplier<Resources> resources) {
        this.models = models;
        this.friendlyName = friendlyName;
        this.version = version;
        this.resources = resources;
    }

    @Override
    public String name() {
        return "machine";
    }

    @Override
    public NodeInfo read() {
        long tick = readings++;
        Resources now = resources.get();
        boolean news = !now.equals(told);
        told = now;
        return new NodeInfo(
                Instant.now(),
                tick % 60 == 0 ? Optional.of(identity()) : Optional.empty(),
                Optional.of(memory()),
                tick % 30 == 0 ? disk() : Optional.empty(),
                Optional.of(load()),
                tick % 10 == 0 ? interfaces() : List.of(),
                news || tick % 60 == 0 ? Optional.of(now) : Optional.empty());
    }

    /** The machine's memory now. */
    public MemoryUsage memory() {
        Map<String, Long> proc = meminfo();
        return new MemoryUsage(
                new Memory(proc.getOrDefault("MemTotal", system.getTotalMemorySize())),
                new Memory(limited(proc.getOrDefault("MemAvailable", system.getFreeMemorySize()))),
                new Memory(proc.getOrDefault("SwapTotal", system.getTotalSwapSpaceSize())),
                new Memory(proc.getOrDefault("SwapFree", system.getFreeSwapSpaceSize())));
    }

    /** The JDK's bean knows the limits of a container, /proc does not. */
    private long limited(long available) {
        long total = system.getTotalMemorySize();
        return Math.min(available, total);
    }

    private static Map<String, Long> meminfo() {
        Map<String, Long> values = new HashMap<>();
        for (String line : lines(Path.of("/proc/meminfo"))) {
            String[] parts = line.split(":?\\s+");
            if (parts.length >= 2 && parts[1].chars().allMatch(Character::isDigit)) {
                values.put(parts[0], Long.parseLong(parts[1]) * 1024);
            }
        }
        return values;
    }

    private Optional<DiskUsage> disk() {
        try {
            Path existing = models;
            while (!Files.exists(existing)) {
                existing = existing.getParent();
            }
            FileStore store = Files.getFileStore(existing);
            return Optional.of(new DiskUsage(new Memory(store.getTotalSpace()), new Memory(store.getUsableSpace())));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private SystemLoad load() {
        double cpu = Math.clamp(system.getCpuLoad(), 0, 1);
        double temperature = 0;
        for (String line : lines(Path.of("/sys/class/thermal/thermal_zone0/temp"))) {
            temperature = line.isBlank() ? 0 : Double.parseDouble(line.strip()) / 1000;
        }
        return new SystemLoad(0, temperature, 0, cpu, 0, Optional.empty());
    }

    private Identity identity() {
        return new Identity(
                first(Path.of("/sys/class/dmi/id/product_name")).orElse(UNKNOWN),
                chip(),
                friendlyName,
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                UNKNOWN,
                version,
                Build.commit());
    }

    /** The processor's name, or its architecture. */
    public static String chip() {
        for (String line : lines(Path.of("/proc/cpuinfo"))) {
            if (line.startsWith("model name")) {
                return line.substring(line.indexOf(':') + 1).strip();
            }
        }
        return System.getProperty("os.arch");
    }

    private static List<NodeInfo.NetworkInterface> interfaces() {
        List<NodeInfo.NetworkInterface> found = new ArrayList<>();
        try {
            for (NetworkInterface card : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                if (card.isUp() && !card.isLoopback()) {
                    for (InetAddress address : Collections.list(card.getInetAddresses())) {
                        if (address instanceof Inet4Address || !address.isLinkLocalAddress()) {
                            found.add(new NodeInfo.NetworkInterface(
                                    card.getName(),
                                    address.getHostAddress().replaceAll("%.*", ""),
                                    kind(card.getName())));
                        }
                    }
                }
            }
        } catch (SocketException e) {
            return List.of();
        }
        return found;
    }

    /** What kind of interface a name stands for, see {@link NodeInfo.NetworkInterface}. */
    public static String kind(String name) {
        if (Files.isDirectory(Path.of("/sys/class/net", name, "wireless")) || name.startsWith("wl")) {
            return "wifi";
        }
        if (name.startsWith("thunderbolt")) {
            return "thunderbolt";
        }
        if (name.startsWith("tailscale")
                || name.startsWith("tun")
                || name.startsWith("wg")
                || name.startsWith("utun")) {
            return "unknown";
        }
        return name.startsWith("eth")
                        || (name.startsWith("en")
                                && !System.getProperty("os.name").startsWith("Mac"))
                ? "ethernet"
                : "maybe_ethernet";
    }

    private static Optional<String> first(Path file) {
        return lines(file).stream().map(String::strip).filter(s -> !s.isEmpty()).findFirst();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of(); // not Linux, or not ours to read
        }
    }
}
