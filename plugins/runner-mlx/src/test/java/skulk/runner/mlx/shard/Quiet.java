package skulk.runner.mlx.shard;

import java.util.concurrent.CompletableFuture;
import skulk.api.RankContext;

/** Remembers why a rank broke. */
final class Quiet implements RankContext.Watcher {
    final CompletableFuture<String> broken = new CompletableFuture<>();

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
        broken.complete(reason);
    }
}
