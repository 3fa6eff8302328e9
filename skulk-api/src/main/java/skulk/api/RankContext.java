package skulk.api;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import skulk.api.cluster.Instance;
import skulk.api.cluster.Shard;
import skulk.api.model.FilePart;

/**
 * Everything a rank needs to load its share.
 *
 * @param instance the placement it is part of
 * @param shard this rank's part
 * @param files folder of the staged checkpoint
 * @param partial files of which only a part is here, by name; what is missing reads as zeros and must not be used
 * @param companions folders of companion models by their id
 * @param links to the other ranks; with one rank, links that nobody uses
 * @param drafters offered drafters, in configured order
 * @param settings engine settings by dotted name: {@code threads}, {@code kernels} (auto|exact|fast), {@code kv_cache_backend}, {@code max_concurrent_requests},
 *     {@code max_output_tokens}, {@code memory_bytes}, …
 * @param watcher hears of progress
 */
public record RankContext(
        Instance instance,
        Shard shard,
        Path files,
        Map<String, Partial> partial,
        Map<String, Path> companions,
        RankLinks links,
        List<DrafterFactory> drafters,
        Map<String, String> settings,
        Watcher watcher) {
    public RankContext {
        partial = Map.copyOf(partial);
        companions = Map.copyOf(companions);
        drafters = List.copyOf(drafters);
        settings = Map.copyOf(settings);
    }

    /**
     * A file of which only a part is here. Should it become whole before it is opened, it lies in the folder under its own name.
     *
     * @param location where it lies, with its full length
     * @param present the bytes that are here
     */
    public record Partial(Path location, FilePart present) {}

    /** Hears of progress; called from any thread, never blocks. */
    public interface Watcher {
        void loading(int layersLoaded, int totalLayers);

        /** Weights are in place; warm-up begins. */
        void warmingUp();

        /** The rank's batch became busy (true) or idle (false). */
        void running(boolean busy);

        /** A phase change for the flight recorder, see contract section 12, "Phases". */
        void phase(String phase, String detail);

        /** Something can never work again (a peer rank is gone, the device is stuck): the process should report it and exit. */
        void broken(String reason);

        /** For tools and tests, where nobody asks how it goes and nothing must break. */
        static Watcher silent() {
            return silent(reason -> {
                throw new IllegalStateException(reason);
            });
        }

        /** Hears of nothing but the end. */
        static Watcher silent(Consumer<String> onBroken) {
            return new Watcher() {
                @Override
                public void loading(int layersLoaded, int totalLayers) {}

                @Override
                public void warmingUp() {}

                @Override
                public void running(boolean busy) {}

                @Override
                public void phase(String phase, String detail) {}

                @Override
                public void broken(String reason) {
                    onBroken.accept(reason);
                }
            };
        }
    }
}
