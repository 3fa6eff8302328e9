package skulk.runner.mlx.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import skulk.api.Runner;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;

class RunnerTest {
    private static final Map<String, String> SETTINGS = Map.of("threads", "2", "memory_bytes", "268435456");

    @Test
    void chatEqualsTheGoldenOfTheTinyModel() throws Exception {
        Path folder = Shared.folder("models/skulk-tiny");
        try (Runner runner = Ranks.load(folder, SETTINGS)) {
            for (Json json : Shared.array(folder.resolve("golden.json"))) {
                JsonObject golden = (JsonObject) json;
                if (golden.array("tools").isPresent()) {
                    continue;
                }
                List<GenerationEvent> events =
                        Ranks.ask(runner, Ranks.request(Ranks.chat(messages(golden)), Ranks.GREEDY, 200));
                GenerationEvent.Finished finished = assertInstanceOf(GenerationEvent.Finished.class, events.getLast());
                assertEquals(golden.string("greedy_text").orElseThrow(), Ranks.text(events));
                assertArrayEquals(
                        Shared.ints(golden, "greedy_ids"),
                        Ranks.tokens(events).stream().mapToInt(i -> i).toArray());
                assertEquals(
                        golden.array("prompt_ids").orElseThrow().size(), finished.usage().promptTokens());
                assertEquals(GenerationEvent.FinishReason.STOP, finished.reason());
            }
        }
    }

    @Test
    void textEqualsTheGoldenOfTheStoryModel() throws Exception {
        Path folder = Shared.folder("models/stories260K");
        try (Runner runner = Ranks.load(folder, SETTINGS)) {
            for (Json json : Shared.array(folder.resolve("golden.json"))) {
                JsonObject golden = (JsonObject) json;
                String prompt = golden.string("prompt").orElseThrow();
                int[] ids = Shared.ints(golden, "greedy_ids");
                List<GenerationEvent> events =
                        Ranks.ask(runner, Ranks.request(new Prompt.Text(prompt), Ranks.GREEDY, ids.length));
                assertEquals(golden.string("greedy_text").orElseThrow(), Ranks.text(events));
                assertArrayEquals(ids, Ranks.tokens(events).stream().mapToInt(i -> i).toArray());
            }
        }
    }

    static List<Message> messages(JsonObject golden) {
        JsonArray array = golden.array("messages").orElseThrow();
        List<Message> messages = new ArrayList<>();
        for (Json json : array) {
            JsonObject message = (JsonObject) json;
            messages.add(Message.of(
                    message.string("role").orElseThrow(), message.string("content").orElse("")));
        }
        return messages;
    }
}
