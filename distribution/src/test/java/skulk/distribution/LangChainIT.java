package skulk.distribution;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.ollama.OllamaChatModel;
import dev.langchain4j.model.ollama.OllamaEmbeddingModel;
import dev.langchain4j.model.ollama.OllamaModels;
import dev.langchain4j.model.ollama.OllamaStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;

/** LangChain4j, through its OpenAI client and through its Ollama client. */
@ExtendWith(SharedNode.class)
class LangChainIT {
    /** The two ways in. */
    enum Dialect {
        OPENAI {
            @Override
            ChatModel whole(ServingNode node, String model, Duration timeout) {
                return OpenAiChatModel.builder()
                        .baseUrl(node.url() + "/v1")
                        .apiKey("any")
                        .modelName(model)
                        .temperature(0.0)
                        .maxTokens(200)
                        .strictJsonSchema(true)
                        .maxRetries(0)
                        .timeout(timeout)
                        .build();
            }

            @Override
            StreamingChatModel streaming(ServingNode node, String model) {
                return OpenAiStreamingChatModel.builder()
                        .baseUrl(node.url() + "/v1")
                        .apiKey("any")
                        .modelName(model)
                        .temperature(0.0)
                        .maxTokens(200)
                        .timeout(ServingNode.PATIENCE)
                        .build();
            }

            @Override
            EmbeddingModel embedding(ServingNode node, String model) {
                return OpenAiEmbeddingModel.builder()
                        .baseUrl(node.url() + "/v1")
                        .apiKey("any")
                        .modelName(model)
                        .maxRetries(0)
                        .build();
            }
        },
        OLLAMA {
            @Override
            EmbeddingModel embedding(ServingNode node, String model) {
                return OllamaEmbeddingModel.builder()
                        .baseUrl(node.url())
                        .modelName(model)
                        .maxRetries(0)
                        .build();
            }

            @Override
            ChatModel whole(ServingNode node, String model, Duration timeout) {
                return OllamaChatModel.builder()
                        .baseUrl(node.url())
                        .modelName(model)
                        .temperature(0.0)
                        .numPredict(200)
                        .maxRetries(0)
                        .timeout(timeout)
                        .build();
            }

            @Override
            StreamingChatModel streaming(ServingNode node, String model) {
                return OllamaStreamingChatModel.builder()
                        .baseUrl(node.url())
                        .modelName(model)
                        .temperature(0.0)
                        .numPredict(200)
                        .timeout(ServingNode.PATIENCE)
                        .build();
            }
        };

        abstract EmbeddingModel embedding(ServingNode node, String model);

        abstract ChatModel whole(ServingNode node, String model, Duration timeout);

        abstract StreamingChatModel streaming(ServingNode node, String model);
    }

    private static ChatRequest.Builder asking(String question) {
        return ChatRequest.builder().messages(UserMessage.from(question));
    }

    private static ChatResponse streamed(StreamingChatModel model, ChatRequest request) throws Exception {
        CompletableFuture<ChatResponse> answer = new CompletableFuture<>();
        model.chat(request, new StreamingChatResponseHandler() {
            @Override
            public void onCompleteResponse(ChatResponse response) {
                answer.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }
        });
        return answer.get(ServingNode.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @EnumSource
    void answersWholeAndStreamed(Dialect dialect, ServingNode node) throws Exception {
        ChatRequest request = asking("What is the capital of France?").build();
        for (ChatResponse response : List.of(
                dialect.whole(node, ServingNode.TINY, ServingNode.PATIENCE).chat(request),
                streamed(dialect.streaming(node, ServingNode.TINY), request))) {
            assertEquals("The capital of France is Paris.", response.aiMessage().text());
            assertEquals(16, response.tokenUsage().inputTokenCount());
        }
    }

    @ParameterizedTest
    @EnumSource
    void theModelCallsAToolAndReadsItsResult(Dialect dialect, ServingNode node) throws Exception {
        ToolSpecification tool = ToolSpecification.builder()
                .name("get_weather")
                .description("Get current weather for a city.")
                .parameters(JsonObjectSchema.builder()
                        .addStringProperty("location")
                        .required("location")
                        .build())
                .build();
        UserMessage question = UserMessage.from("What is the current weather in Boston?");
        ChatRequest request = ChatRequest.builder()
                .messages(question)
                .toolSpecifications(tool)
                .build();
        ChatModel model = dialect.whole(node, ServingNode.TINY, ServingNode.PATIENCE);
        AiMessage asked = model.chat(request).aiMessage();
        for (AiMessage message : List.of(
                asked,
                streamed(dialect.streaming(node, ServingNode.TINY), request).aiMessage())) {
            ToolExecutionRequest call = message.toolExecutionRequests().getFirst();
            assertEquals("get_weather", call.name());
            assertEquals(JsonObject.of("location", "Boston"), Json.parse(call.arguments()));
        }
        ToolExecutionResultMessage result = ToolExecutionResultMessage.from(
                asked.toolExecutionRequests().getFirst(),
                "{\"location\":\"Boston\",\"temperature_f\":61,\"condition\":\"cloudy\"}");
        ChatResponse answer = model.chat(ChatRequest.builder()
                .messages(question, asked, result)
                .toolSpecifications(tool)
                .build());
        assertEquals(
                "It is 61 degrees and cloudy in Boston.", answer.aiMessage().text());
    }

    @ParameterizedTest
    @EnumSource
    void theAnswerFitsTheSchema(Dialect dialect, ServingNode node) {
        JsonSchema schema = JsonSchema.builder()
                .name("verdict")
                .rootElement(JsonObjectSchema.builder()
                        .addBooleanProperty("known")
                        .addEnumProperty("colour", List.of("red", "green", "blue"))
                        .required("known", "colour")
                        .build())
                .build();
        ChatResponse response = dialect.whole(node, ServingNode.TINY, ServingNode.PATIENCE)
                .chat(asking("What colour is the sky?")
                        .responseFormat(ResponseFormat.builder()
                                .type(ResponseFormatType.JSON)
                                .jsonSchema(schema)
                                .build())
                        .build());
        JsonObject verdict = (JsonObject) Json.parse(response.aiMessage().text());
        assertTrue(verdict.bool("known").isPresent());
        assertTrue(List.of("red", "green", "blue")
                .contains(verdict.string("colour").orElseThrow()));
    }

    @ParameterizedTest
    @EnumSource
    void errorsAndTimeoutsAreExceptions(Dialect dialect, ServingNode node) {
        ChatModel absent = dialect.whole(node, "nobody/nothing", ServingNode.PATIENCE);
        ModelNotFoundException error = assertThrows(ModelNotFoundException.class, () -> absent.chat("Hi"));
        assertTrue(error.getMessage().contains("No instance found for model nobody/nothing"), error.getMessage());
        ExecutionException broken = assertThrows(
                ExecutionException.class,
                () -> streamed(
                        dialect.streaming(node, "nobody/nothing"), asking("Hi").build()));
        assertInstanceOf(ModelNotFoundException.class, broken.getCause());
        String breaking = Scripted.script(Scripted.text("Hello"), Scripted.pause(), Scripted.fail("boom"));
        if (dialect == Dialect.OLLAMA) { // its OpenAI client passes over error events of a stream, whoever sends them
            ExecutionException late = assertThrows(
                    ExecutionException.class,
                    () -> streamed(
                            dialect.streaming(node, Scripted.MODEL),
                            asking(breaking).build()));
            assertTrue(late.getMessage().contains("boom"), late.getMessage());
        }
        String hanging = Scripted.script(Scripted.text("Hello"), Scripted.hang());
        ChatModel impatient = dialect.whole(node, Scripted.MODEL, Duration.ofMillis(300));
        assertThrows(TimeoutException.class, () -> impatient.chat(hanging));
        node.awaitIdle(Scripted.MODEL);
    }

    @ParameterizedTest
    @EnumSource
    void aCancelledStreamFreesTheModel(Dialect dialect, ServingNode node) {
        CompletableFuture<String> first = new CompletableFuture<>();
        String hanging = Scripted.script(Scripted.text("Hello"), Scripted.hang());
        dialect.streaming(node, Scripted.MODEL).chat(asking(hanging).build(), new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
                first.complete(partial.text());
                context.streamingHandle().cancel();
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {}

            @Override
            public void onError(Throwable error) {
                first.completeExceptionally(error);
            }
        });
        await().atMost(ServingNode.PATIENCE).until(first::isDone);
        assertEquals("Hello", first.join());
        node.awaitIdle(Scripted.MODEL);
    }

    @Test
    void ollamaListsItsModels(ServingNode node) {
        OllamaModels models = OllamaModels.builder().baseUrl(node.url()).build();
        assertTrue(models.availableModels().content().stream()
                .anyMatch(m -> m.getName().equals(ServingNode.TINY)));
        assertTrue(models.runningModels().content().stream()
                .anyMatch(m -> m.getName().equals(ServingNode.TINY)));
        assertEquals(
                "skulk",
                models.modelCard(ServingNode.TINY).content().getDetails().getFamily());
    }

    @ParameterizedTest
    @EnumSource
    void embeds(Dialect dialect, ServingNode node) {
        EmbeddingModel model = dialect.embedding(node, EmbedModels.MINILM);
        List<Embedding> vectors = model.embedAll(List.of(TextSegment.from("a"), TextSegment.from("b")))
                .content();
        assertEquals(2, vectors.size());
        assertEquals(EmbedModels.MINILM_DIMENSIONS, vectors.getFirst().dimension());
        assertEquals(vectors.get(1), model.embed("b").content());
        EmbeddingModel absent = dialect.embedding(node, "nobody/nothing");
        assertThrows(ModelNotFoundException.class, () -> absent.embed("a"));
    }
}
