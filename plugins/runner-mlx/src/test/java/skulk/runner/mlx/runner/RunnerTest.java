package skulk.runner.mlx.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Runner;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.problem.Problem;

class RunnerTest {
    private static final Map<String, String> SETTINGS = Map.of("threads", "1", "memory_bytes", "268435456");
    private static final List<Runner> OPEN = new ArrayList<>();
    private static Path tinyFolder;
    private static Path storyFolder;
    private static Runner tiny;
    private static Runner story;

    @BeforeAll
    static void load() throws Exception {
        tinyFolder = Shared.folder("models/skulk-tiny");
        storyFolder = Shared.folder("models/stories260K");
        tiny = Ranks.load(tinyFolder, SETTINGS);
        OPEN.add(tiny);
        story = Ranks.load(storyFolder, SETTINGS);
        OPEN.add(story);
    }

    @AfterAll
    static void close() {
        OPEN.forEach(Runner::close);
    }

    @Test
    void chatEqualsTheGoldenOfTheTinyModel() throws Exception {
        for (Json json : Shared.array(tinyFolder.resolve("golden.json"))) {
            JsonObject golden = (JsonObject) json;
            if (golden.array("tools").isPresent()) {
                continue;
            }
            List<GenerationEvent> events =
                    Ranks.ask(tiny, Ranks.request(Ranks.chat(messages(golden)), Ranks.GREEDY, 200));
            GenerationEvent.Finished finished = assertInstanceOf(GenerationEvent.Finished.class, events.getLast());
            assertEquals(golden.string("greedy_text").orElseThrow(), Ranks.text(events));
            assertArrayEquals(
                    Shared.ints(golden, "greedy_ids"),
                    Ranks.tokens(events).stream().mapToInt(i -> i).toArray());
            assertEquals(
                    golden.array("prompt_ids").orElseThrow().size(),
                    finished.usage().promptTokens());
            assertEquals(GenerationEvent.FinishReason.STOP, finished.reason());
        }
    }

    @Test
    void textEqualsTheGoldenOfTheStoryModel() throws Exception {
        for (Json json : Shared.array(storyFolder.resolve("golden.json"))) {
            JsonObject golden = (JsonObject) json;
            String prompt = golden.string("prompt").orElseThrow();
            int[] ids = Shared.ints(golden, "greedy_ids");
            List<GenerationEvent> events =
                    Ranks.ask(story, Ranks.request(new Prompt.Text(prompt), Ranks.GREEDY, ids.length));
            assertEquals(golden.string("greedy_text").orElseThrow(), Ranks.text(events));
            assertArrayEquals(
                    ids, Ranks.tokens(events).stream().mapToInt(i -> i).toArray());
        }
    }

    @Test
    void toolCallsOfTheTinyModelComeWithoutMarkup() throws Exception {
        int withTools = 0;
        for (Json json : Shared.array(tinyFolder.resolve("golden.json"))) {
            JsonObject golden = (JsonObject) json;
            if (golden.array("tools").isEmpty()) {
                continue;
            }
            withTools++;
            Prompt prompt =
                    new Prompt.Conversation(messages(golden), tools(golden), new ToolChoice.Auto(), true, Map.of());
            List<GenerationEvent> events = Ranks.ask(tiny, Ranks.request(prompt, Ranks.GREEDY, 200));
            assertArrayEquals(
                    Shared.ints(golden, "greedy_ids"),
                    Ranks.tokens(events).stream().mapToInt(i -> i).toArray());
            assertEquals("", Ranks.text(events));
            String rebuilt = calls(events).stream()
                    .map(call -> "<tool_call>\n{\"name\": \"%s\", \"arguments\": %s}\n</tool_call>"
                            .formatted(call.name(), call.arguments()))
                    .collect(Collectors.joining("\n"));
            assertEquals(golden.string("greedy_text").orElseThrow(), rebuilt);
            assertEquals(
                    GenerationEvent.FinishReason.TOOL_CALLS, ((GenerationEvent.Finished) events.getLast()).reason());
        }
        assertTrue(withTools > 0);
    }

    @Test
    void onlyOneCallWhereParallelCallsAreNotAllowed() throws Exception {
        JsonObject golden = (JsonObject)
                Shared.array(tinyFolder.resolve("golden.json")).items().getLast();
        Prompt prompt =
                new Prompt.Conversation(messages(golden), tools(golden), new ToolChoice.Auto(), false, Map.of());
        assertEquals(
                1,
                calls(Ranks.ask(tiny, Ranks.request(prompt, Ranks.GREEDY, 200))).size());
    }

    @Test
    void companyDoesNotChangeAnAnswer() throws Exception {
        String[] starts = {
            "Once", "The dog was", "Lily and Ben", "One day, a cat", "Tim had", "She said", "A big", "It was"
        };
        for (Sampling sampling : List.of(Ranks.GREEDY, Ranks.temperature(1, 42))) {
            List<String> alone = new ArrayList<>();
            for (String start : starts) {
                alone.add(Ranks.text(Ranks.ask(story, Ranks.request(new Prompt.Text(start), sampling, 60))));
            }
            List<CompletableFuture<List<GenerationEvent>>> together = new ArrayList<>();
            for (String start : starts) {
                together.add(Ranks.submit(story, Ranks.request(new Prompt.Text(start), sampling, 60)));
            }
            for (int i = 0; i < starts.length; i++) {
                assertEquals(alone.get(i), Ranks.text(together.get(i).get(60, TimeUnit.SECONDS)));
            }
        }
    }

    @Test
    void aResumedRequestGoesOnWhereItWasLost() throws Exception {
        GenerationRequest request = Ranks.request(new Prompt.Text("Once upon a time"), Ranks.temperature(1, 7), 60);
        List<GenerationEvent> whole = Ranks.ask(story, request);
        List<Integer> tokens = Ranks.tokens(whole);
        for (int cut : new int[] {1, 23, 59}) {
            List<GenerationEvent> rest = Ranks.ask(story, with(request, List.of(), tokens.subList(0, cut)));
            assertEquals(tokens.subList(cut, tokens.size()), Ranks.tokens(rest));
            assertTrue(Ranks.text(whole).endsWith(Ranks.text(rest)));
            assertEquals(60, ((GenerationEvent.Finished) rest.getLast()).usage().completionTokens());
        }
    }

    @Test
    void eventsComeInOrderAndStopStringsEndTheText() throws Exception {
        GenerationRequest request = Ranks.request(new Prompt.Text("Once upon a time"), Ranks.GREEDY, 60);
        List<GenerationEvent> events = Ranks.ask(story, with(request, List.of("girl named", "zzz"), List.of()));
        assertEquals(", there was a little ", Ranks.text(events));
        GenerationEvent.Finished finished = (GenerationEvent.Finished) events.getLast();
        assertEquals(Optional.of("girl named"), finished.stopSequence());
        assertEquals(GenerationEvent.FinishReason.STOP, finished.reason());
        assertInstanceOf(GenerationEvent.Accepted.class, events.getFirst());
        assertInstanceOf(GenerationEvent.Prefill.class, events.get(1));
        assertEquals(
                1,
                events.stream()
                        .filter(GenerationEvent.Finished.class::isInstance)
                        .count());
    }

    @Test
    void logprobsCoverTheText() throws Exception {
        GenerationRequest plain = Ranks.request(new Prompt.Text("Once upon a time"), Ranks.GREEDY, 10);
        GenerationRequest request = new GenerationRequest(
                plain.commandId(),
                plain.model(),
                plain.prompt(),
                plain.sampling(),
                plain.output(),
                plain.maxTokens(),
                plain.stop(),
                Optional.of(3),
                plain.reasoning(),
                plain.client(),
                plain.committed());
        StringBuilder joined = new StringBuilder();
        List<GenerationEvent> events = Ranks.ask(story, request);
        for (GenerationEvent event : events) {
            if (event instanceof GenerationEvent.Text text) {
                for (GenerationEvent.TokenLogprob logprob : text.logprobs()) {
                    joined.append(logprob.token());
                    assertEquals(3, logprob.top().size());
                    // greedy: the chosen one is the best
                    assertEquals(logprob.logprob(), logprob.top().getFirst().logprob(), 1e-6);
                    assertTrue(logprob.logprob() <= 0);
                }
            }
        }
        assertEquals(Ranks.text(events), joined.toString());
    }

    @Test
    void requestsThatCannotBeServedFailWithTheReason() throws Exception {
        assertEquals(
                "context_length_exceeded",
                problem(story, new Prompt.Text("Once"), 512).code());
        assertTrue(
                problem(story, new Prompt.Tokens(List.of(1, 512)), 5).message().contains("512"));
        assertTrue(problem(story, new Prompt.Tokens(List.of()), 5).message().contains("empty"));
        assertTrue(problem(story, new Prompt.Text("Once"), 0).message().contains("max_tokens"));
        GenerationRequest chat = Ranks.request(Ranks.chat(List.of(Message.of("user", "Once upon"))), Ranks.GREEDY, 5);
        assertEquals(
                Ranks.text(Ranks.ask(story, chat)),
                Ranks.text(Ranks.ask(story, Ranks.request(new Prompt.Text("Once upon"), Ranks.GREEDY, 5))));
        assertEquals(
                story.countTokens(chat),
                story.countTokens(Ranks.request(new Prompt.Text("Once upon"), Ranks.GREEDY, 5)));
    }

    @Test
    void aCancelledRequestFailsSoon() throws Exception {
        CompletableFuture<Problem> failed = new CompletableFuture<>();
        CompletableFuture<Runner.Generation> started = new CompletableFuture<>();
        Runner.Generation generation =
                story.submit(Ranks.request(new Prompt.Text("Once"), Ranks.GREEDY, 500), event -> {
                    if (event instanceof GenerationEvent.Text) {
                        started.join().cancel();
                    } else if (event instanceof GenerationEvent.Failed(Problem problem)) {
                        failed.complete(problem);
                    }
                });
        started.complete(generation);
        assertEquals("cancelled", failed.get(20, TimeUnit.SECONDS).code());
    }

    @Test
    void reasoningGoesToItsChannelAndEndsWithItsBudget(@TempDir Path folder) throws Exception {
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(storyFolder.resolve(file), folder.resolve(file));
        }
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages[0].content }}<think>\n");
        try (Runner runner = Ranks.load(folder, SETTINGS)) {
            GenerationRequest plain = Ranks.request(Ranks.chat(List.of(Message.of("user", "Once"))), Ranks.GREEDY, 60);
            GenerationRequest request = new GenerationRequest(
                    plain.commandId(),
                    plain.model(),
                    plain.prompt(),
                    plain.sampling(),
                    plain.output(),
                    plain.maxTokens(),
                    plain.stop(),
                    plain.logprobs(),
                    new ReasoningWish(Optional.empty(), Optional.empty(), Optional.of(8)),
                    plain.client(),
                    plain.committed());
            List<GenerationEvent> events = Ranks.ask(runner, request);
            assertTrue(!text(events, Channel.REASONING).isEmpty());
            assertTrue(!text(events, Channel.CONTENT).isEmpty());
            assertTrue(!Ranks.text(events).contains("think>"), Ranks.text(events));
            int spent = ((GenerationEvent.Finished) events.getLast()).usage().reasoningTokens();
            assertTrue(spent >= 8 && spent < 25, "reasoning tokens: " + spent);
            assertEquals("", text(Ranks.ask(runner, plain), Channel.CONTENT));
        }
    }

    private static String text(List<GenerationEvent> events, Channel channel) {
        return events.stream()
                .filter(event -> event instanceof GenerationEvent.Text text && text.channel() == channel)
                .map(event -> ((GenerationEvent.Text) event).text())
                .collect(Collectors.joining());
    }

    private static Problem problem(Runner runner, Prompt prompt, int maxTokens) throws Exception {
        GenerationEvent last = Ranks.ask(runner, Ranks.request(prompt, Ranks.GREEDY, maxTokens))
                .getLast();
        return assertInstanceOf(GenerationEvent.Failed.class, last).problem();
    }

    private static GenerationRequest with(GenerationRequest request, List<String> stop, List<Integer> committed) {
        return new GenerationRequest(
                request.commandId(),
                request.model(),
                request.prompt(),
                request.sampling(),
                request.output(),
                request.maxTokens(),
                stop,
                request.logprobs(),
                request.reasoning(),
                request.client(),
                committed);
    }

    private record Call(String name, String arguments) {}

    private static List<Call> calls(List<GenerationEvent> events) {
        List<Call> calls = new ArrayList<>();
        for (GenerationEvent event : events) {
            if (event instanceof GenerationEvent.ToolCallDelta delta) {
                if (delta.name().isPresent()) {
                    assertEquals(calls.size(), delta.index());
                    calls.add(new Call(delta.name().get(), ""));
                }
                Call call = calls.removeLast();
                calls.add(new Call(call.name(), call.arguments() + delta.arguments()));
            }
        }
        return calls;
    }

    private static List<Tool> tools(JsonObject golden) {
        return golden.array("tools").orElseThrow().items().stream()
                .map(json -> ((JsonObject) json).object("function").orElse((JsonObject) json))
                .map(function -> new Tool(
                        function.string("name").orElseThrow(),
                        function.string("description").orElse(""),
                        function.find("parameters").orElse(JsonObject.EMPTY),
                        false))
                .toList();
    }

    static List<Message> messages(JsonObject golden) {
        JsonArray array = golden.array("messages").orElseThrow();
        List<Message> messages = new ArrayList<>();
        for (Json json : array) {
            JsonObject message = (JsonObject) json;
            messages.add(Message.of(
                    message.string("role").orElseThrow(),
                    message.string("content").orElse("")));
        }
        return messages;
    }
}
