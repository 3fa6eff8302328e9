package skulk.runner.mlx.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How a model writes tool calls. One row of {@link #KNOWN} per published format.
 *
 * @param name by which a card chooses it
 * @param telling strings that a template of this format contains, all of them
 * @param open markers that begin a call or a list of calls
 * @param close markers that end it; none where nothing does
 * @param noise markers around calls that mean nothing by themselves
 * @param body how a call is written that does not begin with a brace
 * @param bare whether a call may also stand without a marker, at the beginning of the content
 */
record ToolFormat(
        String name,
        List<String> telling,
        List<String> open,
        List<String> close,
        List<String> noise,
        Body body,
        boolean bare) {

    /** How the body of a call is written; a JSON object is understood in every format. */
    sealed interface Body {
        record JsonOnly() implements Body {}

        record Named() implements Body {}

        record Tagged(TaggedCallReader.Tags tags) implements Body {}

        record Loose(char open) implements Body {}
    }

    static final String HARMONY = "gpt_oss";

    private static final String DSML = "｜DSML｜";
    private static final Body JSON = new Body.JsonOnly();
    private static final Body NAMED = new Body.Named();
    private static final Body PYTHON = new Body.Loose('(');

    static final ToolFormat GENERIC = new ToolFormat(
            "generic", List.of(), List.of("<tool_call>"), List.of("</tool_call>"), List.of(), JSON, true);

    /** In the order of detection: the more telling first. */
    static final List<ToolFormat> KNOWN = List.of(
            row(HARMONY, List.of("<|channel|>", "<|message|>"), List.of(), List.of(), JSON),
            row(
                    "dsml",
                    List.of(DSML),
                    List.of("<" + DSML + "function_calls>", "<" + DSML + "tool_calls>"),
                    List.of("</" + DSML + "function_calls>", "</" + DSML + "tool_calls>"),
                    new Body.Tagged(TaggedCallReader.Tags.invoke(DSML))),
            new ToolFormat(
                    "deepseek",
                    List.of("<｜tool▁call▁begin｜>"),
                    List.of("<｜tool▁call▁begin｜>"),
                    List.of("<｜tool▁call▁end｜>"),
                    List.of("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
                    NAMED,
                    false),
            new ToolFormat(
                    "kimi",
                    List.of("<|tool_call_begin|>"),
                    List.of("<|tool_call_begin|>"),
                    List.of("<|tool_call_end|>"),
                    List.of("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
                    NAMED,
                    false),
            new ToolFormat(
                    "solar",
                    List.of("<|tool_call:begin|>"),
                    List.of("<|tool_call:begin|>"),
                    List.of("<|tool_call:end|>"),
                    List.of("<|tool_calls|>"),
                    NAMED,
                    false),
            row(
                    "gemma4",
                    List.of("<|tool_call>"),
                    List.of("<|tool_call>"),
                    List.of("<tool_call|>"),
                    new Body.Loose('{')),
            row(
                    "functiongemma",
                    List.of("<start_function_call>"),
                    List.of("<start_function_call>"),
                    List.of("<end_function_call>"),
                    new Body.Loose('{')),
            row("mistral", List.of("[TOOL_CALLS]"), List.of("[TOOL_CALLS]"), List.of(), NAMED),
            row(
                    "seed_oss",
                    List.of("<seed:tool_call>"),
                    List.of("<seed:tool_call>"),
                    List.of("</seed:tool_call>"),
                    new Body.Tagged(TaggedCallReader.Tags.FUNCTION)),
            row(
                    "minimax",
                    List.of("<minimax:tool_call>"),
                    List.of("<minimax:tool_call>"),
                    List.of("</minimax:tool_call>"),
                    new Body.Tagged(TaggedCallReader.Tags.invoke(""))),
            row(
                    "glm",
                    List.of("<tool_call>", "<arg_key>"),
                    List.of("<tool_call>"),
                    List.of("</tool_call>"),
                    new Body.Tagged(TaggedCallReader.Tags.PAIRS)),
            row(
                    "hermes",
                    List.of("<tool_call>"),
                    List.of("<tool_call>"),
                    List.of("</tool_call>"),
                    new Body.Tagged(TaggedCallReader.Tags.FUNCTION)),
            row("functionary", List.of("<function="), List.of("<function="), List.of("</function>"), NAMED),
            row("nemotron", List.of("<TOOLCALL>"), List.of("<TOOLCALL>"), List.of("</TOOLCALL>"), JSON),
            row("tool_calls", List.of("<tool_calls>"), List.of("<tool_calls>"), List.of("</tool_calls>"), JSON),
            row("cohere", List.of("<|START_ACTION|>"), List.of("<|START_ACTION|>"), List.of("<|END_ACTION|>"), JSON),
            row(
                    "lfm2",
                    List.of("<|tool_call_start|>"),
                    List.of("<|tool_call_start|>"),
                    List.of("<|tool_call_end|>"),
                    PYTHON),
            row(
                    "lfm2",
                    List.of("<|tool_list_start|>"),
                    List.of("<|tool_call_start|>"),
                    List.of("<|tool_call_end|>"),
                    PYTHON),
            row("apertus", List.of("<|tools_prefix|>"), List.of("<|tools_prefix|>"), List.of("<|tools_suffix|>"), JSON),
            row(
                    "gigachat",
                    List.of("<|function_call|>"),
                    List.of("<|function_call|>"),
                    List.of("<|message_sep|>"),
                    JSON),
            row("granite", List.of("<|tool_call|>"), List.of("<|tool_call|>"), List.of("<|/tool_call|>"), JSON),
            row("gemma3", List.of("```tool_code"), List.of("```tool_code"), List.of("```"), PYTHON),
            new ToolFormat(
                    "llama3",
                    List.of("<|start_header_id|>"),
                    List.of("<|python_tag|>"),
                    List.of(),
                    List.of(),
                    PYTHON,
                    true));

    private static ToolFormat row(String name, List<String> telling, List<String> open, List<String> close, Body body) {
        return new ToolFormat(name, telling, open, close, List.of(), body, false);
    }

    /** The format that a card names. */
    static Optional<ToolFormat> named(String name) {
        String known = name.equals("deepseek_v32") ? "dsml" : name;
        return KNOWN.stream().filter(format -> format.name.equals(known)).findFirst();
    }

    /**
     * The format that a template writes; JSON with or without the most common tag where it writes none that is known.
     */
    static ToolFormat detect(String template) {
        Predicate<ToolFormat> fits = format -> format.telling.stream().allMatch(template::contains);
        return KNOWN.stream().filter(fits).findFirst().orElse(GENERIC);
    }

    /** Everything that must reach the parser although its tokens may be special. */
    List<String> markers() {
        if (name.equals(HARMONY)) {
            return HarmonyParser.MARKERS;
        }
        List<String> all = new ArrayList<>(open);
        all.addAll(close);
        all.addAll(noise);
        switch (body) {
            case Body.Tagged(TaggedCallReader.Tags tags) ->
                all.addAll(List.of(
                        tags.nameOpen() + tags.nameClose(),
                        tags.keyOpen() + tags.keyClose(),
                        tags.valueOpen() + tags.valueClose(),
                        tags.callClose()));
            case Body.Loose loose -> all.addAll(LooseLiterals.QUOTES);
            case Body.Named named -> all.addAll(NamedCallReader.MARKERS);
            case Body.JsonOnly json -> {
                // JSON has no markers
            }
        }
        return all;
    }
}
