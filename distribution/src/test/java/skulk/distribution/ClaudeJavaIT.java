package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.RequestOptions;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.AnthropicIoException;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.InternalServerException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.errors.SseException;
import com.anthropic.errors.UnprocessableEntityException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolResultBlockParam;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The official Java client of Claude. */
@ExtendWith(SharedNode.class)
class ClaudeJavaIT {
    private static AnthropicClient client;

    @BeforeAll
    static void connect(ServingNode node) {
        client = AnthropicOkHttpClient.builder()
                .baseUrl(node.url())
                .apiKey("any")
                .maxRetries(0)
                .timeout(ServingNode.PATIENCE)
                .build();
    }

    @AfterAll
    static void disconnect() {
        client.close();
    }

    private static MessageCreateParams.Builder asking(String model, String question) {
        return MessageCreateParams.builder()
                .model(model)
                .maxTokens(200)
                .putAdditionalBodyProperty("temperature", JsonValue.from(0))
                .addUserMessage(question);
    }

    private static Message streamed(MessageCreateParams params) {
        MessageAccumulator all = MessageAccumulator.create();
        try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(params)) {
            stream.stream().forEach(all::accumulate);
        }
        return all.message();
    }

    @Test
    void answersWholeAndStreamed() {
        MessageCreateParams params =
                asking(ServingNode.TINY, "What is the capital of France?").build();
        for (Message message : List.of(client.messages().create(params), streamed(params))) {
            assertEquals(
                    "The capital of France is Paris.",
                    message.content().getFirst().asText().text());
            assertEquals(StopReason.END_TURN, message.stopReason().orElseThrow());
            assertEquals(16, message.usage().inputTokens());
        }
        MessageCountTokensParams counted = MessageCountTokensParams.builder()
                .model(ServingNode.TINY)
                .addUserMessage("What is the capital of France?")
                .build();
        assertEquals(16, client.messages().countTokens(counted).inputTokens());
    }

    @Test
    void thinkingTextAndCallsAreBlocksOfTheirOwn() {
        MessageCreateParams params = asking(
                        Scripted.MODEL,
                        Scripted.script(
                                Scripted.reasoning("Let me "),
                                Scripted.reasoning("see."),
                                Scripted.text("Grüße 🦊\n"),
                                Scripted.call("look", "{\"at\":[1,2]}")))
                .build();
        for (Message message : List.of(client.messages().create(params), streamed(params))) {
            assertEquals(3, message.content().size());
            assertEquals("Let me see.", message.content().get(0).asThinking().thinking());
            assertEquals("Grüße 🦊\n", message.content().get(1).asText().text());
            assertEquals("look", message.content().get(2).asToolUse().name());
            assertEquals(
                    JsonValue.from(Map.of("at", List.of(1, 2))),
                    message.content().get(2).asToolUse()._input());
            assertEquals(StopReason.TOOL_USE, message.stopReason().orElseThrow());
        }
    }

    @Test
    void theModelCallsAToolAndReadsItsResult() {
        Tool tool = Tool.builder()
                .name("get_weather")
                .description("Get current weather for a city.")
                .inputSchema(Tool.InputSchema.builder()
                        .properties(Tool.InputSchema.Properties.builder()
                                .putAdditionalProperty("location", JsonValue.from(Map.of("type", "string")))
                                .build())
                        .required(List.of("location"))
                        .build())
                .build();
        MessageCreateParams.Builder conversation = asking(ServingNode.TINY, "What is the current weather in Boston?")
                .addTool(tool);
        Message whole = client.messages().create(conversation.build());
        for (Message message : List.of(whole, streamed(conversation.build()))) {
            assertEquals("get_weather", message.content().getFirst().asToolUse().name());
            assertEquals(
                    JsonValue.from(Map.of("location", "Boston")),
                    message.content().getFirst().asToolUse()._input());
        }
        Message answer = client.messages()
                .create(conversation
                        .addMessage(whole)
                        .addUserMessageOfBlockParams(
                                List.of(ContentBlockParam.ofToolResult(ToolResultBlockParam.builder()
                                        .toolUseId(whole.content()
                                                .getFirst()
                                                .asToolUse()
                                                .id())
                                        .content(
                                                "{\"location\":\"Boston\",\"temperature_f\":61,\"condition\":\"cloudy\"}")
                                        .build())))
                        .build());
        assertEquals(
                "It is 61 degrees and cloudy in Boston.",
                answer.content().getFirst().asText().text());
    }

    @Test
    void theAnswerFitsTheSchema() {
        OpenAiJavaIT.Verdict verdict = client.messages()
                .create(asking(ServingNode.TINY, "What colour is the sky?")
                        .outputConfig(OpenAiJavaIT.Verdict.class)
                        .build())
                .content()
                .getFirst()
                .asText()
                .text();
        assertNotNull(verdict.colour());
    }

    @Test
    void errorsAreTheExceptionsOfTheirStatus() {
        NotFoundException absent = assertThrows(
                NotFoundException.class,
                () -> client.messages().create(asking("nobody/nothing", "Hi").build()));
        assertTrue(absent.getMessage().contains("No instance found for model nobody/nothing"), absent.getMessage());
        assertThrows(
                BadRequestException.class,
                () -> client.messages()
                        .create(asking(ServingNode.TINY, "Hi")
                                .maxTokens(1_000_000)
                                .build()));
        assertThrows(
                UnprocessableEntityException.class,
                () -> client.messages()
                        .create(asking(ServingNode.TINY, "Hi")
                                .putAdditionalBodyProperty("top_p", JsonValue.from(7))
                                .build()));
        assertThrows(
                InternalServerException.class,
                () -> client.messages()
                        .create(asking(Scripted.MODEL, Scripted.script(Scripted.text("a"), Scripted.fail("boom")))
                                .build()));
        SseException broken = assertThrows(
                SseException.class,
                () -> streamed(asking(
                                Scripted.MODEL,
                                Scripted.script(Scripted.text("a"), Scripted.pause(), Scripted.fail("boom")))
                        .build()));
        assertTrue(broken.body().toString().contains("boom"), broken.body().toString());
    }

    @Test
    void timeoutsAndCancellationFreeTheModel(ServingNode node) {
        MessageCreateParams hanging = asking(Scripted.MODEL, Scripted.script(Scripted.text("Hello"), Scripted.hang()))
                .build();
        assertThrows(
                AnthropicIoException.class,
                () -> client.messages()
                        .create(
                                hanging,
                                RequestOptions.builder()
                                        .timeout(Duration.ofMillis(300))
                                        .build()));
        node.awaitIdle(Scripted.MODEL);
        try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(hanging)) {
            assertTrue(stream.stream().anyMatch(RawMessageStreamEvent::isContentBlockDelta));
        }
        node.awaitIdle(Scripted.MODEL);
    }
}
