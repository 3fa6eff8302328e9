package skulk.api.placement;

import java.util.List;
import java.util.Optional;
import skulk.api.cluster.NodeInfo;

/**
 * How much memory a placement may use on a node (contract section 9.2).
 *
 * @param usable bytes now: {@code min(available, ceiling)}
 * @param ceiling bytes at most, whatever is free now
 * @param rule how it was worked out, as refusals word it
 */
public record NodeBudget(long usable, long ceiling, String rule) {
    private static final double RAM_SHARE = 0.75;
    private static final double VRAM_SHARE = 0.90;
    private static final long SYSTEM_RESERVE = 16L << 30;
    private static final List<String> GPU_BACKENDS = List.of("cuda", "rocm", "vulkan");

    /** The budget of a node, or empty while its memory has not been reported. */
    public static Optional<NodeBudget> of(NodeInfo node) {
        return node.memory().map(memory -> {
            Optional<NodeInfo.Accelerator> card =
                    node.system().flatMap(NodeInfo.SystemLoad::accelerator).filter(a -> computesOn(node, a));
            return card.map(a -> vram(a, memory)).orElseGet(() -> ram(memory));
        });
    }

    private static NodeBudget ram(NodeInfo.MemoryUsage memory) {
        long ceiling = (long) (RAM_SHARE * memory.ramTotal().inBytes());
        long usable = Math.max(0, Math.min(memory.ramAvailable().inBytes(), ceiling));
        return new NodeBudget(usable, ceiling, "min of available and 75% of RAM");
    }

    /** Weights go to the card's own memory; where card and processor share one memory, the system's RAM beyond 16 GiB counts as well. */
    private static NodeBudget vram(NodeInfo.Accelerator card, NodeInfo.MemoryUsage memory) {
        long total = card.vramTotalBytes().orElse(0L);
        long free = Math.max(0, total - card.vramUsedBytes().orElse(0L));
        long ceiling = (long) (VRAM_SHARE * total);
        if (card.gttTotalBytes().orElse(0L) == 0) {
            return new NodeBudget(Math.min(free, ceiling), ceiling, "min of free and 90% of VRAM");
        }
        long shared = Math.max(0, memory.ramTotal().inBytes() - SYSTEM_RESERVE);
        long sharedFree = Math.max(0, Math.min(memory.ramAvailable().inBytes(), shared));
        return new NodeBudget(
                Math.min(free, ceiling) + sharedFree,
                ceiling + shared,
                "min of free and 90% of VRAM, and RAM beyond 16GiB");
    }

    /** A graphics card counts only where the node offers an engine that computes on it; the processor's engine keeps its weights in RAM. */
    private static boolean computesOn(NodeInfo node, NodeInfo.Accelerator card) {
        List<String> backends =
                node.resources().map(NodeInfo.Resources::backends).orElse(List.of());
        return card.vramTotalBytes().orElse(0L) > 0
                && backends.stream().anyMatch(b -> GPU_BACKENDS.stream().anyMatch(b::contains));
    }
}
