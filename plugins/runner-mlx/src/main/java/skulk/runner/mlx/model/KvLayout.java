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
 * <p>Within a group's slot: layer by layer, head by head, the keys of the block's positions and then the values.
 *
 * @param layers this rank's layers in order
 * @param groups windows and slot sizes
 * @param type of numbers
 * @param state what a sequence carries on beside its blocks
 */
record KvLayout(List<Layer> layers, List<Group> groups, KvType type, Optional<StateSpec> state) {

    /**
     * @param group which group
     * @param offset where the layer starts in a slot
     * @param headBytes bytes of one head: keys, then values
     * @param valueOffset where the values start within a head
     */
    record Layer(int group, long offset, long headBytes, long valueOffset) {}

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
            long head = (keys + type.bytes(spec.valuePadded()) + 63) / 64 * 64;
            layers.add(new Layer(group, sizes[group], head, keys));
            sizes[group] += head * spec.kvHeads();
        }
        List<Group> groups = new ArrayList<>();
        for (int i = 0; i < sizes.length; i++) {
            groups.add(new Group(windows.get(i), sizes[i]));
        }
        return new KvLayout(List.copyOf(layers), List.copyOf(groups), type, Optional.empty());
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
