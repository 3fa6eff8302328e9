package skulk.runner.mlx.runner;

import skulk.api.RankContext;

/** Keeps the work of warming up to itself: until the rank is ready, nobody is told that it is busy. */
final class ReadyGate implements RankContext.Watcher {
    private final RankContext.Watcher watcher;
    private volatile boolean ready;

    ReadyGate(RankContext.Watcher watcher) {
        this.watcher = watcher;
    }

    /** From now on everything passes. */
    void open() {
        ready = true;
    }

    @Override
    public void loading(int layersLoaded, int totalLayers) {
        watcher.loading(layersLoaded, totalLayers);
    }

    @Override
    public void warmingUp() {
        watcher.warmingUp();
    }

    @Override
    public void running(boolean busy) {
        if (ready) {
            watcher.running(busy);
        }
    }

    @Override
    public void phase(String phase, String detail) {
        if (ready) {
            watcher.phase(phase, detail);
        }
    }

    @Override
    public void broken(String reason) {
        watcher.broken(reason);
    }
}
