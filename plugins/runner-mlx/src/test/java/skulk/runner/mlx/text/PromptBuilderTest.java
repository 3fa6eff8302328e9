package skulk.runner.mlx.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.runner.Shared;

class PromptBuilderTest {
    private static final Path TINY = Shared.folder("models/skulk-tiny");

    private static String render(String template, ReasoningWish wish, Message... messages) {
        try (Tokenizer tokenizer = Tokenizer.load(TINY)) {
            CheckpointText text = new CheckpointText(
                    template.isEmpty() ? Map.of() : Map.of("default", template),
                    Map.of("bos_token", "<|endoftext|>"),
                    Optional.of(true),
                    Set.of(),
                    skulk.api.generation.Sampling.DEFAULT);
            return new PromptBuilder(tokenizer, text).render(conversation(List.of(messages)), wish);
        }
    }

    private static Conversation conversation(List<Message> messages) {
        return new Conversation(messages, List.of(), new ToolChoice.Auto(), true, Map.of("extra", Json.of(3)));
    }

    @Test
    void goldenPromptsHaveTheirIdsWithBosOnce() throws IOException {
        try (TextModel model = TextModel.load(TINY)) {
            for (Json json : Shared.array(TINY.resolve("golden.json"))) {
                JsonObject golden = (JsonObject) json;
                List<Tool> tools = golden.array("tools").orElseGet(JsonArray::of).items().stream()
                        .map(tool -> ((JsonObject) tool).object("function").orElseThrow())
                        .map(tool -> new Tool(
                                tool.string("name").orElseThrow(),
                                tool.string("description").orElse(""),
                                tool.find("parameters").orElseThrow(),
                                false))
                        .toList();
                List<Message> messages = golden.array("messages").orElseThrow().items().stream()
                        .map(m -> (JsonObject) m)
                        .map(m -> Message.of(
                                m.string("role").orElseThrow(),
                                m.string("content").orElseThrow()))
                        .toList();
                skulk.runner.mlx.text.Prompt prompt = model.prompts()
                        .build(
                                new Conversation(messages, tools, new ToolChoice.Auto(), true, Map.of()),
                                ReasoningWish.NONE);
                assertEquals(golden.string("rendered").orElseThrow(), prompt.text());
                assertArrayEquals(Shared.ints(golden, "prompt_ids"), prompt.tokens());
                // the rendered text as a plain prompt: the tokenizer adds bos, but not a second one
                assertArrayEquals(
                        prompt.tokens(),
                        model.prompts()
                                .build(new Prompt.Text(prompt.text()), ReasoningWish.NONE)
                                .tokens());
            }
            assertEquals(Set.of(0, 2), model.endTokens());
        }
    }

    @Test
    void aTemplateWithoutBosGetsOneWhereTheTokenizerWantsIt() {
        try (TextModel model = TextModel.load(Shared.folder("models/stories260K"))) {
            int[] chat = model.prompts()
                    .build(conversation(List.of(Message.of("user", "Once"))), ReasoningWish.NONE)
                    .tokens();
            assertEquals(1, chat[0]);
            assertArrayEquals(
                    model.prompts()
                            .build(new Prompt.Text("Once"), ReasoningWish.NONE)
                            .tokens(),
                    chat);
        }
    }

    @Test
    void wishesBecomeVariables() {
        String template = "{{ enable_thinking }} {{ thinking }} {{ reasoning_effort }} {{ extra }} {{ tools is none }}";
        assertEquals(
                "False False  3 True",
                render(
                        template,
                        new ReasoningWish(Optional.empty(), Optional.of("none"), Optional.empty()),
                        Message.of("user", "x")));
        assertEquals(
                "True True high 3 True",
                render(
                        template,
                        new ReasoningWish(Optional.of(true), Optional.of("high"), Optional.empty()),
                        Message.of("user", "x")));
    }

    @Test
    void developersBecomeSystemWhereTheTemplateKnowsNone() {
        Message message = Message.of("developer", "x");
        assertEquals("system", render("{{ messages[0].role }}", ReasoningWish.NONE, message));
        assertEquals("developer", render("{#developer#}{{ messages[0].role }}", ReasoningWish.NONE, message));
    }

    @Test
    void argumentsAreObjectsUnlessTheTemplateNeedsText() {
        Message call = new Message(
                "assistant",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(new Message.ToolCall("c1", "f", JsonObject.of("a", 1))),
                Optional.empty());
        assertEquals("1", render("{{ messages[0].tool_calls[0].function.arguments.a }}", ReasoningWish.NONE, call));
        assertEquals(
                ":{\"a\":1}",
                render("{{ ':' + messages[0].tool_calls[0].function.arguments }}", ReasoningWish.NONE, call));
        assertEquals("True", render("{{ messages[0].content is none }}", ReasoningWish.NONE, call));
        assertEquals("x", render("{{ messages[0].content + 'x' }}", ReasoningWish.NONE, call));
        Message text = new Message(
                "assistant",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(new Message.ToolCall("c1", "f", new JsonString("[1"))),
                Optional.empty());
        assertEquals("[1", render("{{ messages[0].tool_calls[0].function.arguments }}", ReasoningWish.NONE, text));
    }

    @Test
    void aRefusedSystemMessageIsFoldedIntoTheFirstQuestion() {
        String template =
                "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}";
        assertEquals(
                "Be terse.\n\nHi",
                render(template, ReasoningWish.NONE, Message.of("system", "Be terse."), Message.of("user", "Hi")));
        SkulkException e = assertThrows(
                SkulkException.class, () -> render(template, ReasoningWish.NONE, Message.of("system", "alone")));
        assertTrue(e.getMessage().contains("no system"), e.getMessage());
    }

    @Test
    void withoutATemplateContentsAreJoined() {
        assertEquals("a\nb", render("", ReasoningWish.NONE, Message.of("user", "a"), Message.of("user", "b")));
    }

    @Test
    void templatesEndTokensAndDefaultsAreReadInEveryForm(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), """
                {"bos_token":{"content":"<s>","special":true},"eos_token":"</s>","add_bos_token":false,
                 "chat_template":[{"name":"default","template":"D"},{"name":"tool_use","template":"T"}]}""");
        Files.writeString(
                folder.resolve("generation_config.json"),
                "{\"eos_token_id\":[7,8],\"temperature\":0.6,\"top_p\":0.9,\"top_k\":20,\"do_sample\":true}");
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\":9}");
        CheckpointText text = CheckpointText.load(folder);
        assertEquals(Optional.of("D"), text.template(false));
        assertEquals(Optional.of("T"), text.template(true));
        assertEquals(Map.of("bos_token", "<s>", "eos_token", "</s>"), text.specialTokens());
        assertEquals(Set.of(7, 8, 9), text.endTokens());
        assertEquals(Optional.of(0.6), text.defaults().temperature());
        assertEquals(Optional.of(20), text.defaults().topK());
        Files.writeString(folder.resolve("chat_template.jinja"), "J");
        Files.writeString(folder.resolve("generation_config.json"), "{\"do_sample\":false,\"temperature\":0.6}");
        assertEquals(Optional.of("J"), CheckpointText.load(folder).template(false));
        assertEquals(Optional.of(0.0), CheckpointText.load(folder).defaults().temperature());
    }
}
