package skulk.runner.mlx.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import skulk.api.cluster.CommandId;
import skulk.api.generation.GenerationEvent.Channel;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.Tool;
import skulk.api.generation.GenerationRequest.ToolChoice;
import skulk.api.generation.Message;
import skulk.api.generation.Sampling;
import skulk.api.json.Json;
import skulk.api.model.ModelId;

class OutputParsersTest {
    private static final List<Tool> TOOLS = List.of(
            new Tool("get_weather", "", Json.parse("""
                            {"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},
                             "tags":{"type":"array"}}}"""), false),
            new Tool(
                    "add",
                    "",
                    Json.parse("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}}}"),
                    false));

    /** What was recorded and what must come of it. @param calls name and arguments in turn */
    record Recorded(
            String template, String prompt, String output, String reasoning, String content, List<String> calls) {
        @Override
        public String toString() {
            return template + " … " + output;
        }
    }

    private static Recorded content(String template, String output, String content, String... calls) {
        return new Recorded(template, "", output, "", content, List.of(calls));
    }

    static Stream<Recorded> recordings() {
        String weather = "{\"city\": \"Zürich\"}";
        return Stream.of(
                content("<tool_call>", "Just text < 3 and <tool", "Just text < 3 and <tool"),
                content("<tool_call>", "a\n\n  b ", "a\n\n  b "),
                content(
                        "<tool_call>",
                        "Sure.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": " + weather + "}\n</tool_call>",
                        "Sure.",
                        "get_weather",
                        weather),
                content(
                        "<tool_call>",
                        "<tool_call>\n{\"arguments\": {\"a\": {\"b\": [1, \"}</tool_call>\"]}}, \"name\": \"add\"}\n</tool_call>\n"
                                + "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": \"{\\\"city\\\": \\\"x\\\"}\"}\n</tool_call>",
                        "",
                        "add",
                        "{\"a\": {\"b\": [1, \"}</tool_call>\"]}}",
                        "get_weather",
                        "{\"city\": \"x\"}"),
                content("<tool_call>", "<tool_call>{\"name\": \"add\"}</tool_call> done", " done", "add", "{}"),
                content("<tool_call>", "<tool_call>not a call</tool_call>!", "!"),
                content(
                        "<tool_call> <function=",
                        "Let me see.\n\n<tool_call>\n<function=get_weather>\n<parameter=city>\nZü\"rich\n\n</x>\n</parameter>\n"
                                + "<parameter=days>\n3\n</parameter>\n<parameter=tags>\n[\"a\"]\n</parameter>\n</function>\n</tool_call>",
                        "Let me see.",
                        "get_weather",
                        "{\"city\": \"Zü\\\"rich\\n\\n</x>\", \"days\": 3, \"tags\": [\"a\"]}"),
                content(
                        "<tool_call> <arg_key>",
                        "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Zürich</arg_value>\n<arg_key>days</arg_key>\n"
                                + "<arg_value>2</arg_value>\n</tool_call><tool_call>add</tool_call>",
                        "",
                        "get_weather",
                        "{\"city\": \"Zürich\", \"days\": 2}",
                        "add",
                        "{}"),
                content(
                        "<|start_header_id|>",
                        "{\"name\": \"get_weather\", \"parameters\": " + weather + "}",
                        "",
                        "get_weather",
                        weather),
                content(
                        "<|start_header_id|>",
                        "{\"type\": \"function\", \"name\": \"add\", \"parameters\": {\"a\": 1}}; "
                                + "{\"name\": \"add\", \"parameters\": {\"a\": 2}}",
                        "",
                        "add",
                        "{\"a\": 1}",
                        "add",
                        "{\"a\": 2}"),
                content(
                        "<|start_header_id|>",
                        "{\"name\": \"nobody\", \"x\": 1} ok",
                        "{\"name\": \"nobody\", \"x\": 1} ok"),
                content("<|start_header_id|>", "{\"a\": 1}", "{\"a\": 1}"),
                content("<|start_header_id|>", "[1, 2]", "[1, 2]"),
                content(
                        "<|start_header_id|>",
                        "<|python_tag|>get_weather.call(city=\"Zürich\", days=2)",
                        "",
                        "get_weather",
                        "{\"city\":\"Zürich\",\"days\":2}"),
                content(
                        "<|start_header_id|>",
                        "<|python_tag|>{\"name\": \"add\", \"parameters\": {}}",
                        "",
                        "add",
                        "{}"),
                content(
                        "[TOOL_CALLS]",
                        "[TOOL_CALLS] [{\"name\": \"get_weather\", \"arguments\": " + weather
                                + ", \"id\": \"abcdefghi\"}, {\"name\": \"add\", \"arguments\": {}}]",
                        "",
                        "get_weather",
                        weather,
                        "add",
                        "{}"),
                content(
                        "[TOOL_CALLS]",
                        "Ok [T [TOOL_CALLS]get_weather[ARGS]" + weather
                                + "[TOOL_CALLS]add[CALL_ID]abcdefghi[ARGS]{\"a\": 1}",
                        "Ok [T",
                        "get_weather",
                        weather,
                        "add",
                        "{\"a\": 1}"),
                content(
                        "<｜tool▁call▁begin｜>",
                        "Hm<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n" + weather
                                + "\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>add<｜tool▁sep｜>{\"a\": \"```\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                        "Hm",
                        "get_weather",
                        weather,
                        "add",
                        "{\"a\": \"```\"}"),
                content(
                        "｜DSML｜",
                        "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_weather\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Zürich"
                                + "</｜DSML｜parameter>\n<｜DSML｜parameter name=\"days\" string=\"false\">2</｜DSML｜parameter>\n</｜DSML｜invoke>\n"
                                + "<｜DSML｜invoke name=\"add\">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
                        "",
                        "get_weather",
                        "{\"city\": \"Zürich\", \"days\": 2}",
                        "add",
                        "{}"),
                content(
                        "<|tool_call_begin|>",
                        "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
                                + weather + "<|tool_call_end|><|tool_calls_section_end|>",
                        "",
                        "get_weather",
                        weather),
                content(
                        "<|tool_call>",
                        "<|tool_call>call:get_weather{city:<|\"|>Zü}\"rich<|\"|>,days:2,tags:[<|\"|>a<|\"|>,true]}<tool_call|>",
                        "",
                        "get_weather",
                        "{\"city\":\"Zü}\\\"rich\",\"days\":2,\"tags\":[\"a\",true]}"),
                content(
                        "<|tool_call_start|>",
                        "<|tool_call_start|>[get_weather(city='Zü)rich', days=1), add(a=-1.5)]<|tool_call_end|>Done",
                        "Done",
                        "get_weather",
                        "{\"city\":\"Zü)rich\",\"days\":1}",
                        "add",
                        "{\"a\":-1.5}"),
                content(
                        "<TOOLCALL>",
                        "<TOOLCALL>[{\"name\": \"get_weather\", \"arguments\": " + weather + "}]</TOOLCALL>",
                        "",
                        "get_weather",
                        weather),
                content(
                        "<|START_ACTION|>",
                        "<|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"get_weather\", \"parameters\": "
                                + weather + "}\n]<|END_ACTION|>",
                        "",
                        "get_weather",
                        weather),
                content(
                        "<|tools_prefix|>",
                        "<|tools_prefix|>[{\"get_weather\": " + weather + "}]<|tools_suffix|>",
                        "",
                        "get_weather",
                        weather),
                content(
                        "<|tool_call:begin|>",
                        "<|tool_calls|><|tool_call:begin|>call00001<|tool_call:name|>get_weather<|tool_call:args|>"
                                + weather + "<|tool_call:end|>",
                        "",
                        "get_weather",
                        weather),
                content("<function=", "<function=get_weather>" + weather + "</function>", "", "get_weather", weather),
                content(
                        "<seed:tool_call>",
                        "<seed:tool_call>\n<function=get_weather>\n<parameter=city>Zürich</parameter>\n</function>\n</seed:tool_call>",
                        "",
                        "get_weather",
                        weather),
                content(
                        "no format at all",
                        "{\"name\": \"get_weather\", \"arguments\": " + weather + "}",
                        "",
                        "get_weather",
                        weather),
                new Recorded(
                        "<think></think><tool_call>",
                        "assistant\n",
                        "<think>\nHm, <3.\n</think>\n\nHi <b>!",
                        "Hm, <3.",
                        "Hi <b>!",
                        List.of()),
                new Recorded(
                        "<think></think><tool_call>",
                        "assistant\n<think>\n",
                        "Weather?\n</think>\n\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": " + weather
                                + "}\n</tool_call>",
                        "Weather?",
                        "",
                        List.of("get_weather", weather)),
                new Recorded(
                        "<think></think>",
                        "assistant\n<think>\n\n</think>\n\n",
                        "No thoughts.",
                        "",
                        "No thoughts.",
                        List.of()),
                new Recorded("<think></think>", "<think>\n", "never closed\n", "never closed\n", "", List.of()),
                new Recorded("[THINK][/THINK]", "", "[THINK]Hm[/THINK]Yes", "Hm", "Yes", List.of()),
                new Recorded(
                        "<|channel>thought\n<channel|><|tool_call>",
                        "",
                        "<|channel>thought\nHm\n<channel|>Yes",
                        "Hm",
                        "Yes",
                        List.of()),
                new Recorded(
                        "<|channel|> <|message|>",
                        "<|start|>assistant",
                        "<|channel|>analysis<|message|>Need <weather>.<|end|><|start|>assistant<|channel|>commentary<|message|>One moment.<|end|>"
                                + "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
                                + weather
                                + "<|call|>",
                        "Need <weather>.",
                        "One moment.",
                        List.of("get_weather", weather)),
                new Recorded(
                        "<|channel|> <|message|>",
                        "<|start|>assistant",
                        " to=functions.add<|channel|>commentary json<|message|>{}<|call|><|start|>assistant<|channel|>final<|message|>Hi | <",
                        "",
                        "Hi | <",
                        List.of("add", "{}")));
    }

    @ParameterizedTest
    @MethodSource("recordings")
    void partsAreRightAndNothingLeaksAtAnySplit(Recorded recorded) {
        Collected seen = new Collected();
        OutputParser parser = OutputFormat.of(recorded.template).parser(request(TOOLS), recorded.prompt, seen);
        for (char c : recorded.output.toCharArray()) {
            parser.accept(c);
            assertTrue(recorded.content.startsWith(seen.content.toString()), () -> "content: " + seen.content);
            assertTrue(recorded.reasoning.startsWith(seen.reasoning.toString()), () -> "reasoning: " + seen.reasoning);
            for (int i = 0; i < seen.calls.size(); i++) {
                String got = seen.calls.get(i).toString();
                assertTrue(i < recorded.calls.size() && recorded.calls.get(i).startsWith(got), () -> "call: " + got);
            }
        }
        parser.finish();
        assertEquals(recorded.content, seen.content.toString());
        assertEquals(recorded.reasoning, seen.reasoning.toString());
        assertEquals(recorded.calls, seen.calls.stream().map(Object::toString).toList());
        assertEquals(recorded.calls.size() / 2, seen.ended);
    }

    @ParameterizedTest
    @MethodSource("recordings")
    void anOutputCutShortEndsEveryCallItStarted(Recorded recorded) {
        for (int length = 0; length < recorded.output.length(); length++) {
            Collected seen = new Collected();
            OutputParser parser = OutputFormat.of(recorded.template).parser(request(TOOLS), recorded.prompt, seen);
            recorded.output.substring(0, length).chars().forEach(c -> parser.accept((char) c));
            parser.finish();
            assertEquals((seen.calls.size() + 1) / 2, seen.ended, "cut at " + length);
        }
    }

    @ParameterizedTest
    @MethodSource("recordings")
    void withoutToolsMarkupIsNotParsed(Recorded recorded) {
        Collected seen = new Collected();
        OutputParser parser = OutputFormat.of(recorded.template).parser(request(List.of()), recorded.prompt, seen);
        recorded.output.chars().forEach(c -> parser.accept((char) c));
        parser.finish();
        assertEquals(List.of(), seen.calls);
    }

    static GenerationRequest request(List<Tool> tools) {
        return new GenerationRequest(
                new CommandId("c"),
                new ModelId("a/b"),
                new Conversation(List.of(Message.of("user", "?")), tools, new ToolChoice.Auto(), true, Map.of()),
                Sampling.DEFAULT,
                new GenerationRequest.OutputShape.FreeText(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                GenerationRequest.ReasoningWish.NONE,
                "",
                List.of());
    }

    private static final class Collected implements OutputSink {
        final StringBuilder content = new StringBuilder();
        final StringBuilder reasoning = new StringBuilder();
        final List<CharSequence> calls = new ArrayList<>();
        int ended;

        @Override
        public void text(Channel channel, CharSequence text) {
            (channel == Channel.CONTENT ? content : reasoning).append(text);
        }

        @Override
        public void callStarted(String name) {
            calls.add(name);
            calls.add(new StringBuilder());
        }

        @Override
        public void callArguments(CharSequence json) {
            ((StringBuilder) calls.getLast()).append(json);
        }

        @Override
        public void callEnded() {
            ended++;
        }
    }
}
