package skulk.api.fake;

import java.util.function.Consumer;
import skulk.api.RankContext;

/**
 * Nobody watches a rank; that it broke is told all the same.
 *
 * @param onBroken takes the reason
 */
public record SilentWatcher(Consumer<String> onBroken) implements RankContext.Watcher {
    /** A rank that must not break. */
    public SilentWatcher() {
        this(reason -> {
            throw new AssertionError(reason);
        });
    }

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
}
