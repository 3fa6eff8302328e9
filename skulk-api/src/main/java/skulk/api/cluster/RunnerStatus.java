package skulk.api.cluster;

/**
 * Where a rank is in its life (contract section 1.2). One node: Idle → Loading → Loaded → WarmingUp → Ready ⇄ Running → ShuttingDown → Shutdown;
 * several: Idle → Connecting → Connected → Loading → …
 */
public sealed interface RunnerStatus {
    record RunnerIdle() implements RunnerStatus {}

    record RunnerConnecting() implements RunnerStatus {}

    record RunnerConnected() implements RunnerStatus {}

    record RunnerLoading(int layersLoaded, int totalLayers) implements RunnerStatus {}

    record RunnerLoaded() implements RunnerStatus {}

    record RunnerWarmingUp() implements RunnerStatus {}

    record RunnerReady() implements RunnerStatus {}

    record RunnerRunning() implements RunnerStatus {}

    record RunnerShuttingDown() implements RunnerStatus {}

    record RunnerShutdown() implements RunnerStatus {}

    record RunnerFailed(String errorMessage) implements RunnerStatus {}

    /** Whether the rank answers requests. */
    default boolean serving() {
        return this instanceof RunnerReady || this instanceof RunnerRunning;
    }
}
