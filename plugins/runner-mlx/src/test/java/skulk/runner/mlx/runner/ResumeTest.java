package skulk.runner.mlx.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import skulk.api.Runner;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Committed;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.TokenLogprob;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.json.Json;

/** A request that is cut after any of its commits and goes on from its tokens comes to the same answer, whatever states of parsers, masks and samplers lie at the cut. */
class ResumeTest {
    private static final List<Message> QUESTION = List.of(Message.of("user", "What is the weather in Paris?"));
    private static final Json SCHEMA = Json.parse("""
            {"type":"object","properties":{"city":{"type":"string","maxLength":12},"days":{"type":"integer"},
             "units":{"enum":["metric","imperial"]}},"required":["city","days","units"],"additionalProperties":false}
            """);
    private static final Map<String, String> SETTINGS = Map.of("threads", "1", "memory_bytes", "268435456");
    private static Path storyFolder;
    private static Runner tiny;
    private static Runner story;

    @BeforeAll
    static void load() throws Exception {
        storyFolder = Shared.folder("models/stories260K");
        tiny = Ranks.load(Shared.folder("models/skulk-tiny"), SETTINGS);
        story = Ranks.load(storyFolder, SETTINGS);
    }

    @AfterAll
    static void close() {
        tiny.close();
        story.close();
    }

    /** What a client gets to know. */
    private record Answer(Map<String, String> texts, List<TokenLogprob> logprobs, List<Integer> tokens, String end) {
        static Answer of(List<GenerationEvent> events) {
            Map<String, StringBuilder> texts = new TreeMap<>();
            List<TokenLogprob> logprobs = new ArrayList<>();
            String end = "";
            for (GenerationEvent event : events) {
                switch (event) {
                    case GenerationEvent.Text text -> {
                        texts.computeIfAbsent(text.channel().toString(), c -> new StringBuilder())
                                .append(text.text());
                        logprobs.addAll(text.logprobs());
                    }
                    case GenerationEvent.ToolCallDelta delta ->
                        texts.computeIfAbsent("call " + delta.index(), c -> new StringBuilder())
                                .append(delta.id().orElse(""))
                                .append(delta.name().orElse(""))
                                .append(delta.arguments());
                    case Finished f ->
                        end = f.reason() + " " + f.stopSequence() + " "
                                + f.usage().promptTokens() + " " + f.usage().completionTokens() + " "
                                + f.usage().reasoningTokens();
                    case GenerationEvent.Failed failed -> end = failed.problem().toString();
                    default -> {}
                }
            }
            Map<String, String> joined = new TreeMap<>();
            texts.forEach((channel, text) -> joined.put(channel, text.toString()));
            return new Answer(joined, logprobs, Ranks.tokens(events), end);
        }
    }

    /** Cuts after every commit and compares; several cuts of one answer are resumed in turn as well. */
    private static void survivesAnyCut(Runner runner, GenerationRequest request, int atLeast) throws Exception {
        List<GenerationEvent> whole = Ranks.ask(runner, request);
        Answer expected = Answer.of(whole);
        int cuts = 0;
        for (int i = 0; i < whole.size(); i++) {
            if (whole.get(i) instanceof Committed) {
                cuts++;
                List<GenerationEvent> events = new ArrayList<>(whole.subList(0, i + 1));
                events.addAll(Ranks.ask(runner, request.after(Ranks.tokens(events))));
                assertEquals(expected, Answer.of(events), "cut " + cuts + " after " + whole.get(i));
            }
        }
        assertTrue(cuts >= atLeast, cuts + " cuts of " + expected);
        List<GenerationEvent> pieces = new ArrayList<>();
        for (boolean ended = false; !ended; ) {
            List<GenerationEvent> next = Ranks.ask(runner, request.after(Ranks.tokens(pieces)));
            int commits = 0;
            for (GenerationEvent event : next) {
                if (commits < 7) {
                    pieces.add(event);
                    commits += event instanceof Committed ? 1 : 0;
                    ended = event instanceof Finished;
                }
            }
        }
        assertEquals(expected, Answer.of(pieces));
    }

    @Test
    void drawnTextWithPenaltiesAndLogprobs() throws Exception {
        Sampling drawn = new Sampling(
                Optional.of(1.1),
                Optional.of(0.95),
                Optional.of(40),
                Optional.empty(),
                Optional.empty(), // the seed comes of the request's id
                Optional.of(1.2),
                Optional.of(30),
                Optional.of(0.3),
                Optional.of(0.2),
                Map.of(7, -2.0));
        GenerationRequest request = Ranks.request(new Prompt.Text("Once upon a time"), drawn, 40);
        survivesAnyCut(story, with(request, List.of("zzzz"), 2, ReasoningWish.NONE), 38);
    }

    @Test
    void stopStringsOverSeveralTokens() throws Exception {
        GenerationRequest request = Ranks.request(new Prompt.Text("Once upon a time"), Ranks.GREEDY, 60);
        for (Integer logprobs : new Integer[] {null, 1}) {
            survivesAnyCut(story, with(request, List.of("girl named Lily", "xyz"), logprobs, ReasoningWish.NONE), 6);
        }
    }

    @Test
    void charactersOfSeveralTokens() throws Exception {
        Sampling random = Ranks.temperature(3, 11); // bytes in any order, whole code points among them
        survivesAnyCut(
                tiny, with(Ranks.request(Ranks.chat(QUESTION), random, 60), List.of(), 0, ReasoningWish.NONE), 20);
    }

    @Test
    void toolCallsAndSchemas() throws Exception {
        List<Tool> tools =
                List.of(new Tool("weather", "", SCHEMA, true), new Tool("other", "", Json.parse("{}"), true));
        for (ToolChoice choice : List.of(new ToolChoice.Required(), new ToolChoice.Named("weather"))) {
            Prompt prompt = new Prompt.Conversation(QUESTION, tools, choice, false, Map.of());
            survivesAnyCut(tiny, Ranks.request(prompt, Ranks.temperature(1, 3), 150), 20);
        }
        GenerationRequest plain = Ranks.request(Ranks.chat(QUESTION), Ranks.temperature(1, 5), 120);
        survivesAnyCut(
                tiny,
                new GenerationRequest(
                        plain.commandId(),
                        plain.model(),
                        plain.prompt(),
                        plain.sampling(),
                        new OutputShape.JsonSchema("x", SCHEMA, true),
                        plain.maxTokens(),
                        plain.stop(),
                        Optional.of(1),
                        plain.reasoning(),
                        plain.client(),
                        List.of()),
                15);
    }

    @Test
    void reasoningWithABudget(@TempDir Path folder) throws Exception {
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(storyFolder.resolve(file), folder.resolve(file));
        }
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages[0].content }}<think>\n");
        try (Runner runner = Ranks.load(folder, SETTINGS)) {
            GenerationRequest request =
                    Ranks.request(Ranks.chat(List.of(Message.of("user", "Once"))), Ranks.GREEDY, 50);
            ReasoningWish wish = new ReasoningWish(Optional.empty(), Optional.empty(), Optional.of(8));
            survivesAnyCut(runner, with(request, List.of(), null, wish), 30);
        }
    }

    private static GenerationRequest with(
            GenerationRequest request, List<String> stop, Integer logprobs, ReasoningWish reasoning) {
        return new GenerationRequest(
                request.commandId(),
                request.model(),
                request.prompt(),
                request.sampling(),
                request.output(),
                request.maxTokens(),
                stop,
                Optional.ofNullable(logprobs),
                reasoning,
                request.client(),
                request.committed());
    }
}
