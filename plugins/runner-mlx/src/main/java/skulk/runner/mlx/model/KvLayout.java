package skulk.runner.mlx.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.runner.mlx.kernel.KvType;
import skulk.runner.mlx.model.Architecture.StateSpec;

/**
 * Where the keys and values of each layer lie within a block. Layers with the same window form a group with storage of
 * its own, so that a windowed group can drop old blocks while the others keep them.
 *
 * <p>Within a group's slot: layer by layer, the keys of the block's positions head by head, and then the values head by head. So whoever goes through several heads of a block
 * reads as far as that without a gap: memory is read three times as fast in pieces of 32 KB as in pieces of 4 ({@code AttentionBenchmark}).
 *
 * @param layers this rank's layers in order
 * @param groups windows and slot sizes
 * @param type of numbers
 * @param state what a sequence carries on beside its blocks
 */
record KvLayout(List<Layer> layers, List<Group> groups, KvType type, Optional<StateSpec> state) {
    /** A line of the processor's cache. */
    private static final long ALIGNMENT = 64;

    /**
     * @param group which group
     * @param offset where the layer starts in a slot
     * @param keyBytes keys of one head
     * @param valueOffset where the values start within the layer
     * @param valueBytes values of one head
     */
    record Layer(int group, long offset, long keyBytes, long valueOffset, long valueBytes) {
        /** Where a head's keys start within the layer. */
        long keys(int kvHead) {
            return kvHead * keyBytes;
        }

        /** Where a head's values start within the layer. */
        long values(int kvHead) {
            return valueOffset + kvHead * valueBytes;
        }
    }

    /**
     * @param window 0 for none
     * @param slotBytes bytes of a block in this group
     */
    record Group(int window, long slotBytes) {}

    static KvLayout of(List<AttentionSpec> specs, KvType type) {
        return of(
                specs,
                type,
                specs.stream().map(AttentionSpec::window).distinct().sorted().toList());
    }

    /** @param windows a group for each; windows that none of these layers has get empty slots */
    static KvLayout of(List<AttentionSpec> specs, KvType type, List<Integer> windows) {
        long[] sizes = new long[windows.size()];
        List<Layer> layers = new ArrayList<>();
        for (AttentionSpec spec : specs) {
            int group = windows.indexOf(spec.window());
            long keys = type.bytes(spec.keyWidth());
            long values = type.bytes(spec.valuePadded());
            long allKeys = aligned(keys * spec.kvHeads());
            layers.add(new Layer(group, sizes[group], keys, allKeys, values));
            sizes[group] += allKeys + aligned(values * spec.kvHeads());
        }
        List<Group> groups = new ArrayList<>();
        for (int i = 0; i < sizes.length; i++) {
            groups.add(new Group(windows.get(i), sizes[i]));
        }
        return new KvLayout(List.copyOf(layers), List.copyOf(groups), type, Optional.empty());
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    KvLayout withState(Optional<StateSpec> spec) {
        return new KvLayout(layers, groups, type, spec);
    }

    /** Bytes of the state of one sequence. */
    long stateBytes() {
        return state.map(StateSpec::bytes).orElse(0L);
    }

    /** Bytes of a block held whole. */
    long blockBytes() {
        return groups.stream().mapToLong(Group::slotBytes).sum();
    }
}
