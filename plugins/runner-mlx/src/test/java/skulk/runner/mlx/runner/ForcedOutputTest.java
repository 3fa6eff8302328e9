package skulk.runner.mlx.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import skulk.api.Runner;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

class ForcedOutputTest {
    private static final Json SCHEMA = Json.parse("""
            {"type":"object","properties":{"city":{"type":"string","maxLength":12},"days":{"type":"integer","minimum":1,"maximum":9}},
             "required":["city","days"],"additionalProperties":false}""");
    private static final List<Message> QUESTION = List.of(Message.of("user", "Tell me a story."));
    private static final List<Runner> OPEN = new ArrayList<>();
    private static Runner tiny;

    @BeforeAll
    static void load() throws Exception {
        tiny = Ranks.load(Shared.folder("models/skulk-tiny"), Map.of("threads", "1", "memory_bytes", "268435456"));
        OPEN.add(tiny);
    }

    @AfterAll
    static void close() {
        OPEN.forEach(Runner::close);
    }

    @Test
    void schemasAreKept() throws Exception {
        for (long seed = 0; seed < 5; seed++) {
            GenerationRequest plain = Ranks.request(Ranks.chat(QUESTION), Ranks.temperature(1, seed), 100);
            List<GenerationEvent> events =
                    Ranks.ask(tiny, with(plain, new OutputShape.JsonSchema("weather", SCHEMA, true)));
            JsonObject value = assertInstanceOf(JsonObject.class, Json.parse(Ranks.text(events)));
            assertTrue(value.integer("days").orElseThrow() >= 1);
            assertTrue(value.string("city").orElseThrow().length() <= 12);
            assertEquals(FinishReason.STOP, ((GenerationEvent.Finished) events.getLast()).reason());
        }
    }

    @Test
    void aToolIsCalledWhereOneMustBe() throws Exception {
        List<Tool> tools = List.of(
                new Tool("weather", "", SCHEMA, true),
                new Tool("other", "", Json.parse("{\"type\":\"object\"}"), true));
        for (ToolChoice choice : List.of(new ToolChoice.Required(), new ToolChoice.Named("weather"))) {
            Prompt prompt = new Prompt.Conversation(QUESTION, tools, choice, false, Map.of());
            List<GenerationEvent> events = Ranks.ask(tiny, Ranks.request(prompt, Ranks.temperature(1, 3), 150));
            StringBuilder arguments = new StringBuilder();
            Optional<String> name = Optional.empty();
            for (GenerationEvent event : events) {
                if (event instanceof GenerationEvent.ToolCallDelta delta) {
                    name = name.or(delta::name);
                    arguments.append(delta.arguments());
                }
            }
            assertEquals("", Ranks.text(events));
            assertInstanceOf(JsonObject.class, Json.parse(arguments.toString()));
            assertTrue(choice instanceof ToolChoice.Required || name.equals(Optional.of("weather")), name.toString());
            assertEquals(FinishReason.TOOL_CALLS, ((GenerationEvent.Finished) events.getLast()).reason());
        }
    }

    @Test
    void whatCannotBeEnforcedIsRefusedByName() throws Exception {
        GenerationRequest plain = Ranks.request(Ranks.chat(QUESTION), Ranks.GREEDY, 20);
        Json odd = Json.parse("{\"type\":\"object\",\"unevaluatedProperties\":{\"not\":{}}}");
        GenerationEvent last = Ranks.ask(tiny, with(plain, new OutputShape.JsonSchema("x", odd, true)))
                .getLast();
        assertTrue(assertInstanceOf(GenerationEvent.Failed.class, last)
                .problem()
                .message()
                .contains("unevaluatedProperties"));
        Prompt nobody = new Prompt.Conversation(QUESTION, List.of(), new ToolChoice.Named("nobody"), false, Map.of());
        last = Ranks.ask(tiny, Ranks.request(nobody, Ranks.GREEDY, 20)).getLast();
        assertTrue(assertInstanceOf(GenerationEvent.Failed.class, last)
                .problem()
                .message()
                .contains("nobody"));
    }

    private static GenerationRequest with(GenerationRequest request, OutputShape shape) {
        return new GenerationRequest(
                request.commandId(),
                request.model(),
                request.prompt(),
                request.sampling(),
                shape,
                request.maxTokens(),
                request.stop(),
                request.logprobs(),
                request.reasoning(),
                request.client(),
                request.committed());
    }
}
