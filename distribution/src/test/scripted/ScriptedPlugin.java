package test.scripted;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import skulk.api.Extension;
import skulk.api.Plugin;
import skulk.api.PluginContext;
import skulk.api.RankContext;
import skulk.api.Runner;
import skulk.api.RunnerFactory;
import skulk.api.cluster.NodeInfo;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationEvent.Accepted;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationEvent.Failed;
import skulk.api.generation.GenerationEvent.FinishReason;
import skulk.api.generation.GenerationEvent.Finished;
import skulk.api.generation.GenerationEvent.Prefill;
import skulk.api.generation.GenerationEvent.Stats;
import skulk.api.generation.GenerationEvent.Text;
import skulk.api.generation.GenerationEvent.ToolCallDelta;
import skulk.api.generation.GenerationEvent.Usage;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.Message;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonObject;
import skulk.api.model.ModelCard;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/** Plays the script that the last user message is: a JSON array of {@code text}, {@code reasoning}, {@code call}, {@code pause},
 * {@code fail} and {@code hang}. */
public final class ScriptedPlugin implements Plugin {
    private static final int PROMPT_TOKENS = 7;

    @Override
    public List<? extends Extension> start(PluginContext context) {
        return List.of(new Factory());
    }

    @Override
    public void stop() {}

    private static final class Factory implements RunnerFactory {
        @Override
        public String name() {
            return "scripted";
        }

        @Override
        public Optional<String> supports(ModelCard card, NodeInfo node) {
            return card.modelId().toString().equals("test/scripted")
                    ? Optional.empty()
                    : Optional.of("plays scripts only");
        }

        @Override
        public Runner load(RankContext rank) {
            return new Player();
        }
    }

    private static final class Player implements Runner {
        @Override
        public Generation submit(GenerationRequest request, Consumer<GenerationEvent> events) {
            CountDownLatch cancelled = new CountDownLatch(1);
            Thread.ofVirtual().start(() -> play(request, events, cancelled));
            return cancelled::countDown;
        }

        private static void play(
                GenerationRequest request, Consumer<GenerationEvent> events, CountDownLatch cancelled) {
            events.accept(new Accepted(PROMPT_TOKENS, 2));
            events.accept(new Prefill(PROMPT_TOKENS, PROMPT_TOKENS));
            int calls = 0;
            int tokens = 0;
            try {
                for (Json item : ((JsonArray) Json.parse(script(request))).items()) {
                    JsonObject step = (JsonObject) item;
                    tokens++;
                    if (step.has("hang")) {
                        cancelled.await();
                        throw new SkulkException(Problem.of(Problem.Kind.CONFLICT, "cancelled", "Cancelled"));
                    } else if (step.has("pause")) {
                        Thread.sleep(step.integer("pause").orElseThrow());
                    } else if (step.has("fail")) {
                        throw new SkulkException(Problem.of(
                                Problem.Kind.INTERNAL, "", step.string("fail").orElseThrow()));
                    } else if (step.has("call")) {
                        call(calls++, step, events);
                    } else {
                        Channel channel = step.has("reasoning") ? Channel.REASONING : Channel.CONTENT;
                        String text = step.string("text").or(() -> step.string("reasoning")).orElseThrow();
                        for (long i = 0; i < step.integer("times").orElse(1L) && cancelled.getCount() > 0; i++) {
                            events.accept(new Text(channel, text, List.of()));
                            if (i > 0) {
                                Thread.sleep(1); // no engine is faster
                            }
                        }
                    }
                }
                events.accept(new Finished(
                        calls > 0 ? FinishReason.TOOL_CALLS : FinishReason.STOP,
                        Optional.empty(),
                        new Usage(PROMPT_TOKENS, tokens, 2, 0, 0, 0),
                        new Stats(100, 10, 1 << 20, 1, true)));
            } catch (SkulkException e) {
                events.accept(new Failed(e.problem()));
            } catch (InterruptedException | RuntimeException e) {
                events.accept(new Failed(Problem.of(Problem.Kind.USER_ERROR, "", "No script: " + e)));
            }
        }

        private static void call(int index, JsonObject step, Consumer<GenerationEvent> events) {
            String arguments = step.string("arguments").orElseThrow();
            int half = arguments.length() / 2;
            events.accept(new ToolCallDelta(index, Optional.of("call_" + index), step.string("call"), ""));
            events.accept(new ToolCallDelta(index, Optional.empty(), Optional.empty(), arguments.substring(0, half)));
            events.accept(new ToolCallDelta(index, Optional.empty(), Optional.empty(), arguments.substring(half)));
        }

        private static String script(GenerationRequest request) {
            return switch (request.prompt()) {
                case Prompt.Conversation conversation ->
                    conversation.messages().stream()
                            .filter(m -> m.role().equals("user"))
                            .reduce((first, second) -> second)
                            .flatMap(Message::content)
                            .orElse("[]");
                case Prompt.Text text -> text.text();
                case Prompt.Tokens tokens -> "[]";
            };
        }

        @Override
        public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
            throw new SkulkException(Problem.Kind.USER_ERROR, "plays scripts only");
        }

        @Override
        public int countTokens(GenerationRequest request) {
            return PROMPT_TOKENS;
        }

        @Override
        public JsonObject report() {
            return JsonObject.EMPTY;
        }

        @Override
        public void close() {}
    }
}
