package skulk.runner.mlx.bench;

import skulk.api.RankContext;

/** Nobody asks how a measurement goes. */
final class Unwatched implements RankContext.Watcher {
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
        throw new IllegalStateException(reason);
    }
}
