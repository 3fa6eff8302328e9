package skulk.runner.mlx.text;

import java.util.List;
import java.util.Optional;

/** How a model marks its reasoning. */
record ReasoningTags(String open, String close) {

    /** Published formats, the more telling ones first. */
    private static final List<ReasoningTags> KNOWN = List.of(
            new ReasoningTags("Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]"),
            new ReasoningTags("<seed:think>", "</seed:think>"),
            new ReasoningTags("<mm:think>", "</mm:think>"),
            new ReasoningTags("<think:opensource>", "</think:opensource>"),
            new ReasoningTags("[THINK]", "[/THINK]"),
            new ReasoningTags("<|channel>thought\n", "<channel|>"),
            new ReasoningTags("<|START_THINKING|>", "<|END_THINKING|>"),
            new ReasoningTags("<|inner_prefix|>", "<|inner_suffix|>"),
            new ReasoningTags("<think>", "</think>"),
            new ReasoningTags("<thinking>", "</thinking>"));

    static final ReasoningTags THINK = new ReasoningTags("<think>", "</think>");

    /** The tags that a template writes. */
    static Optional<ReasoningTags> of(String template) {
        return KNOWN.stream()
                .filter(tags -> template.contains(tags.close) || template.contains(tags.open))
                .findFirst();
    }

    /** Whether a prompt ends within reasoning, so that the output begins with it. */
    boolean openAtEndOf(String prompt) {
        int opened = prompt.lastIndexOf(open.strip());
        return opened > prompt.lastIndexOf(close)
                && prompt.substring(opened + open.strip().length()).isBlank();
    }
}
