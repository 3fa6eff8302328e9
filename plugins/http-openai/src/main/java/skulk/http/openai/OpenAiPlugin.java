package skulk.http.openai;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;
import skulk.api.Settings;

/** Offers the OpenAI dialect; owns the timer of its keep-alives. */
public final class OpenAiPlugin implements Plugin {
    private Optional<ScheduledExecutorService> timer = Optional.empty();

    @Override
    public List<? extends Extension> start(PluginContext context) {
        Settings settings = context.settings();
        Duration silence = millis(settings.number(
                "keep_alive_seconds", 1, "longest silence of a stream before a keep-alive comment, in seconds"));
        int kept = (int) settings.number("responses_kept", 256, "how many responses can be continued by id");
        Duration keptFor =
                millis(settings.number("responses_kept_seconds", 3600, "how long a response can be continued by id"));
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("skulk-openai-keep-alive").factory());
        timer = Optional.of(started);
        Streaming streaming = new Streaming(context.inference(), started, silence);
        return List.of(new OpenAiFeature(
                new ChatEndpoint(streaming),
                new BenchEndpoint(streaming, context.cluster()),
                new CompletionEndpoint(streaming),
                new ResponsesEndpoint(streaming, new ResponseStore(kept, keptFor)),
                new EmbeddingsEndpoint(context.inference(), context.cluster()),
                new ModelsEndpoint(context.cluster(), Instant.now().getEpochSecond())));
    }

    private static Duration millis(double seconds) {
        return Duration.ofMillis(Math.max(1, Math.round(seconds * 1000)));
    }

    @Override
    public void stop() {
        timer.ifPresent(ScheduledExecutorService::shutdownNow);
    }
}
