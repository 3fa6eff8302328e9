package skulk.example;

import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;

/** The entry: reads the settings, hands out what the plugin offers. */
public final class ExamplePlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        String greeting = context.settings().text("greeting", "Hello", "the word that greets");
        return List.of(new GreetingFeature(greeting, context.cluster(), context.inference()));
    }
}
