package skulk.http.ollama;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;
import skulk.api.http.Errors;

/**
 * Offers the Ollama dialect twice: under {@code /ollama} with the contract's error envelope, and under {@code /api}, where stock clients look, with Ollama's
 * own errors.
 */
public final class OllamaPlugin implements Plugin {
    @Override
    public List<? extends Extension> start(PluginContext context) {
        String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        AskEndpoint ask = new AskEndpoint(new Streaming(context.inference()), context.cluster());
        EmbedEndpoint embeddings = new EmbedEndpoint(context.inference(), context.cluster());
        CatalogEndpoint catalog = new CatalogEndpoint(context.cluster(), now);
        return List.of(
                new OllamaFeature(
                        "ollama",
                        List.of("/ollama/api", "/ollama/api/api", "/ollama/api/v1"),
                        List.of("/ollama/"),
                        Errors::response,
                        ask,
                        embeddings,
                        catalog),
                new OllamaFeature(
                        "ollama-stock", List.of("/api"), List.of(), Failures::stock, ask, embeddings, catalog));
    }
}
