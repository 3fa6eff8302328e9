package skulk.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import skulk.api.HttpFeature;
import skulk.api.fake.FakeContext;
import skulk.api.fake.FakeExchange;
import skulk.api.fake.FakeInference;
import skulk.api.generation.GenerationEvent;
import skulk.api.json.JsonObject;

class ExamplePluginTest {
    private static final GenerationEvent END = new GenerationEvent.Finished(
            GenerationEvent.FinishReason.STOP,
            Optional.empty(),
            new GenerationEvent.Usage(1, 2, 0, 0, 0, 0),
            new GenerationEvent.Stats(0, 0, 0, 0, false));

    private static HttpFeature feature(FakeContext context) {
        return (HttpFeature) new ExamplePlugin().start(context).getFirst();
    }

    private static GenerationEvent text(String text) {
        return new GenerationEvent.Text(GenerationEvent.Channel.CONTENT, text, List.of());
    }

    @RepeatedTest(2)
    void startsOffersAndStops() {
        ExamplePlugin plugin = new ExamplePlugin();
        assertEquals("example", plugin.start(FakeContext.create()).getFirst().name());
        plugin.stop();
    }

    @Test
    void greetsWithTheConfiguredWord() {
        HttpFeature feature = feature(FakeContext.create(JsonObject.of("greeting", "Moin")));
        FakeExchange exchange =
                new FakeExchange().pathParameter("name", "Ada").run(feature, "GET", "/example/greeting/{name}");
        assertEquals("Moin, Ada!", exchange.jsonResponse().string("greeting").orElseThrow());
    }

    @Test
    void streamsWhatTheModelWrites() {
        FakeContext context =
                FakeContext.create().with(new FakeInference().playing(text("upon "), text("a time"), END));
        FakeExchange exchange = new FakeExchange()
                .body("{\"model\":\"skulk/tiny-chat-4bit\",\"text\":\"Once\"}")
                .run(feature(context), "POST", "/example/continue");
        assertEquals("upon a time", exchange.streamed());
    }

    @Test
    void cancelsTheGenerationWhenTheClientLeaves() {
        FakeInference inference = new FakeInference().playing(text("a"), text("b"), text("c"));
        FakeExchange exchange =
                new FakeExchange().leavingAfter(1).body("{\"model\":\"skulk/tiny-chat-4bit\",\"text\":\"Once\"}");
        try {
            exchange.run(feature(FakeContext.create().with(inference)), "POST", "/example/continue");
        } catch (AssertionError expected) {
            assertEquals("a", exchange.streamed());
        }
        assertEquals(1, inference.cancelled());
    }

    @Test
    void namesEveryWrongFieldAtOnce() {
        FakeExchange exchange = new FakeExchange()
                .body("{\"modle\":\"x\"}")
                .run(feature(FakeContext.create()), "POST", "/example/continue");
        assertEquals(422, exchange.status());
        assertEquals(3, exchange.jsonResponse().array("detail").orElseThrow().size());
    }
}
