package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.RequestOptions;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.SseException;
import com.openai.errors.UnprocessableEntityException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseStreamEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The official Java client of OpenAI. */
@ExtendWith(SharedNode.class)
class OpenAiJavaIT {
    private static final RequestOptions SOON =
            RequestOptions.builder().timeout(Duration.ofMillis(300)).build();

    private static OpenAIClient client;

    /** A shape with no more than eight values, so that every answer fits the limit. */
    public record Verdict(boolean known, Colour colour) {
        /** Some colours. */
        public enum Colour {
            RED,
            GREEN,
            BLUE,
            NONE
        }
    }

    @BeforeAll
    static void connect(ServingNode node) {
        client = OpenAIOkHttpClient.builder()
                .baseUrl(node.url() + "/v1")
                .apiKey("any")
                .maxRetries(0)
                .timeout(ServingNode.PATIENCE)
                .build();
    }

    @AfterAll
    static void disconnect() {
        client.close();
    }

    private static ChatCompletionCreateParams.Builder asking(String model, String question) {
        return ChatCompletionCreateParams.builder()
                .model(model)
                .temperature(0)
                .maxCompletionTokens(200)
                .addUserMessage(question);
    }

    private static ChatCompletion streamed(ChatCompletionCreateParams params) {
        ChatCompletionAccumulator all = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            stream.stream().forEach(all::accumulate);
        }
        return all.chatCompletion();
    }

    private static String text(ChatCompletion completion) {
        return completion.choices().getFirst().message().content().orElse("");
    }

    @Test
    void answersWholeAndStreamed() {
        ChatCompletionCreateParams params =
                asking(ServingNode.TINY, "What is the capital of France?").build();
        ChatCompletion whole = client.chat().completions().create(params);
        assertEquals("The capital of France is Paris.", text(whole));
        assertEquals(
                ChatCompletion.Choice.FinishReason.STOP,
                whole.choices().getFirst().finishReason());
        assertEquals(16, whole.usage().orElseThrow().promptTokens());
        ChatCompletion streamed = streamed(params);
        assertEquals("The capital of France is Paris.", text(streamed));
        assertEquals(
                whole.usage().orElseThrow().completionTokens(),
                streamed.usage().orElseThrow().completionTokens());
    }

    @Test
    void exactTextsPassUnchanged() {
        String[] pieces = {"Grüße, ", "🦊\n", "\"quoted\" \\ and </think>\t", "data: [DONE]\n\n", "\u2028end"};
        ChatCompletionCreateParams params = asking(
                        Scripted.MODEL,
                        Scripted.script(java.util.stream.Stream.of(pieces)
                                .map(Scripted::text)
                                .toArray(skulk.api.json.JsonObject[]::new)))
                .build();
        assertEquals(String.join("", pieces), text(client.chat().completions().create(params)));
        assertEquals(String.join("", pieces), text(streamed(params)));
    }

    private static FunctionDefinition weather() {
        return FunctionDefinition.builder()
                .name("get_weather")
                .description("Get current weather for a city.")
                .parameters(FunctionParameters.builder()
                        .putAdditionalProperty("type", JsonValue.from("object"))
                        .putAdditionalProperty(
                                "properties", JsonValue.from(Map.of("location", Map.of("type", "string"))))
                        .putAdditionalProperty("required", JsonValue.from(List.of("location")))
                        .build())
                .build();
    }

    @Test
    void theModelCallsAToolAndReadsItsResult() {
        ChatCompletionCreateParams.Builder conversation = asking(
                        ServingNode.TINY, "What is the current weather in Boston?")
                .addFunctionTool(weather());
        ChatCompletion whole = client.chat().completions().create(conversation.build());
        for (ChatCompletion completion : List.of(whole, streamed(conversation.build()))) {
            assertEquals(
                    ChatCompletion.Choice.FinishReason.TOOL_CALLS,
                    completion.choices().getFirst().finishReason());
            ChatCompletionMessageFunctionToolCall call = completion
                    .choices()
                    .getFirst()
                    .message()
                    .toolCalls()
                    .orElseThrow()
                    .getFirst()
                    .asFunction();
            assertEquals("get_weather", call.function().name());
            assertEquals("{\"location\": \"Boston\"}", call.function().arguments());
        }
        String id = whole.choices()
                .getFirst()
                .message()
                .toolCalls()
                .orElseThrow()
                .getFirst()
                .asFunction()
                .id();
        ChatCompletion answer = client.chat()
                .completions()
                .create(conversation
                        .addMessage(whole.choices().getFirst().message())
                        .addMessage(ChatCompletionToolMessageParam.builder()
                                .toolCallId(id)
                                .content("{\"location\":\"Boston\",\"temperature_f\":61,\"condition\":\"cloudy\"}")
                                .build())
                        .build());
        assertEquals("It is 61 degrees and cloudy in Boston.", text(answer));
    }

    @Test
    void theAnswerFitsTheSchema() {
        Verdict verdict = client.chat()
                .completions()
                .create(asking(ServingNode.TINY, "What colour is the sky?")
                        .responseFormat(Verdict.class)
                        .build())
                .choices()
                .getFirst()
                .message()
                .content()
                .orElseThrow();
        assertNotNull(verdict.colour());
    }

    @Test
    void errorsAreTheExceptionsOfTheirStatus() {
        NotFoundException absent = assertThrows(
                NotFoundException.class,
                () -> client.chat()
                        .completions()
                        .create(asking("nobody/nothing", "Hi").build()));
        assertTrue(absent.getMessage().contains("No instance found for model nobody/nothing"), absent.getMessage());
        ChatCompletionCreateParams tooLong =
                asking(ServingNode.TINY, "Hi").maxCompletionTokens(1_000_000).build();
        assertThrows(
                BadRequestException.class, () -> client.chat().completions().create(tooLong));
        ChatCompletionCreateParams wrong =
                asking(ServingNode.TINY, "Hi").topP(7).build();
        assertThrows(
                UnprocessableEntityException.class,
                () -> client.chat().completions().create(wrong));
        ChatCompletionCreateParams breaking = asking(
                        Scripted.MODEL,
                        Scripted.script(Scripted.text("Hel"), Scripted.text("lo"), Scripted.fail("boom")))
                .build();
        assertThrows(
                com.openai.errors.InternalServerException.class,
                () -> client.chat().completions().create(breaking));
    }

    @Test
    void aStreamThatBreaksSaysSo() throws Exception {
        ChatCompletionCreateParams late = asking(
                        Scripted.MODEL,
                        Scripted.script(Scripted.text("Hello"), Scripted.pause(), Scripted.fail("boom")))
                .build();
        StringBuilder text = new StringBuilder();
        SseException broken = assertThrows(SseException.class, () -> {
            try (StreamResponse<ChatCompletionChunk> stream =
                    client.chat().completions().createStreaming(late)) {
                stream.stream()
                        .forEach(chunk -> text.append(
                                chunk.choices().getFirst().delta().content().orElse("")));
            }
        });
        assertEquals("Hello", text.toString());
        assertTrue(broken.body().toString().contains("boom"), broken.body().toString());
    }

    @Test
    void timeoutsAndCancellationFreeTheModel(ServingNode node) {
        ChatCompletionCreateParams hanging = asking(
                        Scripted.MODEL, Scripted.script(Scripted.text("Hello"), Scripted.hang()))
                .build();
        assertThrows(OpenAIIoException.class, () -> client.chat().completions().create(hanging, SOON));
        node.awaitIdle(Scripted.MODEL);
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(hanging)) {
            assertTrue(stream.stream().findFirst().isPresent());
        }
        node.awaitIdle(Scripted.MODEL);
    }

    private static Response responseStreamed(ResponseCreateParams params) {
        ResponseAccumulator all = ResponseAccumulator.create();
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(params)) {
            stream.stream().forEach(all::accumulate);
        }
        return all.response();
    }

    @Test
    void responsesAnswerCallAndGoOn() {
        ResponseCreateParams.Builder params = ResponseCreateParams.builder()
                .model(ServingNode.TINY)
                .temperature(0)
                .maxOutputTokens(200)
                .input("What is the capital of France?");
        for (Response response : List.of(client.responses().create(params.build()), responseStreamed(params.build()))) {
            String text = response.output()
                    .getFirst()
                    .asMessage()
                    .content()
                    .getFirst()
                    .asOutputText()
                    .text();
            assertEquals("The capital of France is Paris.", text);
            assertEquals(
                    response.id(), client.responses().retrieve(response.id()).id());
        }
        FunctionTool tool = FunctionTool.builder()
                .name("get_weather")
                .description("Get current weather for a city.")
                .strict(false)
                .parameters(FunctionTool.Parameters.builder()
                        .putAllAdditionalProperties(
                                weather().parameters().orElseThrow()._additionalProperties())
                        .build())
                .build();
        ResponseCreateParams calling = params.input("What is the current weather in Boston?")
                .addTool(tool)
                .build();
        for (Response response : List.of(client.responses().create(calling), responseStreamed(calling))) {
            assertEquals(
                    "{\"location\": \"Boston\"}",
                    response.output().getFirst().asFunctionCall().arguments());
        }
    }

    @Test
    void responsesFitSchemasAndEndAsTheyShould(ServingNode node) {
        ResponseCreateParams.Builder params = ResponseCreateParams.builder()
                .model(ServingNode.TINY)
                .temperature(0)
                .maxOutputTokens(200);
        Verdict verdict = client.responses()
                .create(params.input("What colour is the sky?")
                        .text(Verdict.class)
                        .build())
                .output()
                .getFirst()
                .asMessage()
                .content()
                .getFirst()
                .asOutputText();
        assertNotNull(verdict.colour());
        assertThrows(
                NotFoundException.class,
                () -> client.responses()
                        .create(params.model("nobody/nothing").input("Hi").build()));
        ResponseCreateParams hanging = params.model(Scripted.MODEL)
                .input(Scripted.script(Scripted.text("Hello"), Scripted.hang()))
                .build();
        assertThrows(OpenAIIoException.class, () -> client.responses().create(hanging, SOON));
        node.awaitIdle(Scripted.MODEL);
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(hanging)) {
            assertTrue(stream.stream().anyMatch(ResponseStreamEvent::isOutputTextDelta));
        }
        node.awaitIdle(Scripted.MODEL);
    }

    @Test
    void embeds() {
        EmbeddingCreateParams.Builder params =
                EmbeddingCreateParams.builder().model(EmbedModels.MINILM).inputOfArrayOfStrings(List.of("a", "b"));
        CreateEmbeddingResponse response = client.embeddings().create(params.build());
        assertEquals(2, response.data().size());
        assertEquals(
                EmbedModels.MINILM_DIMENSIONS,
                response.data().getFirst().embedding().size());
        assertEquals(6, response.usage().promptTokens());
        assertEquals(
                response.data().get(1).embedding(),
                client.embeddings()
                        .create(params.input("b").build())
                        .data()
                        .getFirst()
                        .embedding());
        BadRequestException refused = assertThrows(
                BadRequestException.class,
                () -> client.embeddings()
                        .create(params.input("word ".repeat(300)).build()));
        assertTrue(refused.getMessage().contains("input[0] has 302 tokens"), refused.getMessage());
    }
}
