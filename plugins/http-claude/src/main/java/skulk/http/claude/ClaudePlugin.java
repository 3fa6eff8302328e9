package skulk.http.claude;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;
import skulk.api.Settings;

/** Offers the Claude dialect; owns the timer of its keep-alives. */
public final class ClaudePlugin implements Plugin {
    private Optional<ScheduledExecutorService> timer = Optional.empty();

    @Override
    public List<? extends Extension> start(PluginContext context) {
        Settings settings = context.settings();
        Duration silence = millis(settings.number(
                "keep_alive_seconds", 1, "longest silence of a stream before a keep-alive, in seconds"));
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("skulk-claude-keep-alive").factory());
        timer = Optional.of(started);
        return List.of(new ClaudeFeature(new MessagesEndpoint(new Streaming(context.inference(), started, silence))));
    }

    private static Duration millis(double seconds) {
        return Duration.ofMillis(Math.max(1, Math.round(seconds * 1000)));
    }

    @Override
    public void stop() {
        timer.ifPresent(ScheduledExecutorService::shutdownNow);
    }
}
