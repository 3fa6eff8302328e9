package skulk.runner.mlx.runner;

import java.util.Locale;
import java.util.Map;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.model.LoadOptions;

/**
 * Engine settings by name, as the node hands them to a rank. Names that are absent have the defaults given here; the
 * environment's {@code SKULK_…} forms are resolved by the node.
 *
 * @param threads worker threads, 0 = all processors
 * @param memoryBytes most memory for weights, cache and workspace
 * @param maxConcurrent most sequences in the batch
 * @param maxQueued most requests that wait
 * @param maxOutput most output tokens where the client names no number
 * @param maxChunk most prompt tokens per step
 */
record EngineSettings(
        int threads,
        LoadOptions.Kernels kernels,
        LoadOptions.KvFormat kv,
        long memoryBytes,
        int maxConcurrent,
        int maxQueued,
        int maxOutput,
        int maxChunk) {

    static EngineSettings of(Map<String, String> settings) {
        int threads = (int) number(settings, "threads", 0, 0, 4096);
        return new EngineSettings(
                threads == 0 ? Runtime.getRuntime().availableProcessors() : threads,
                kernels(settings.getOrDefault("kernels", "auto")),
                kv(settings.getOrDefault("kv_cache_backend", "default")),
                number(settings, "memory_bytes", Long.MAX_VALUE, 1, Long.MAX_VALUE),
                (int) number(settings, "max_concurrent_requests", 8, 1, 1024),
                (int) number(settings, "max_queued_requests", 256, 0, 1 << 20),
                (int) number(settings, "max_output_tokens", 4096, 1, Integer.MAX_VALUE),
                (int) number(settings, "max_prefill_chunk", 512, 16, 1 << 16));
    }

    private static LoadOptions.Kernels kernels(String value) {
        return switch (value) {
            case "auto" -> LoadOptions.Kernels.AUTO;
            case "exact" -> LoadOptions.Kernels.EXACT;
            case "fast" -> LoadOptions.Kernels.FAST;
            default -> throw wrong("kernels", value, "auto, exact, fast");
        };
    }

    private static LoadOptions.KvFormat kv(String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "default", "auto" -> LoadOptions.KvFormat.AUTO;
            case "f32" -> LoadOptions.KvFormat.F32;
            case "bf16" -> LoadOptions.KvFormat.BF16;
            case "mlx_quantized" -> LoadOptions.KvFormat.INT8;
            default -> throw wrong("kv_cache_backend", value, "default, f32, bf16, mlx_quantized");
        };
    }

    private static long number(Map<String, String> settings, String name, long fallback, long low, long high) {
        String value = settings.get(name);
        if (value == null || value.isEmpty()) {
            return fallback;
        }
        try {
            long number = Long.parseLong(value.strip());
            if (number >= low && number <= high) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw wrong(name, value, "a whole number");
        }
        throw wrong(name, value, low + " to " + high);
    }

    private static SkulkException wrong(String name, String value, String offered) {
        return new SkulkException(
                Kind.USER_ERROR, "setting %s: '%s' is not offered; possible: %s".formatted(name, value, offered));
    }
}
