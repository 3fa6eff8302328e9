package skulk.http.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import skulk.api.cluster.CommandId;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.OutputShape;
import skulk.api.generation.GenerationRequest.Prompt;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.Sampling;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonArray;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonString;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * A body of {@code POST /v1/completions} (OpenAI's older endpoint), checked.
 *
 * @param generations {@code n} per prompt, in the order of the choices
 * @param echo whether the prompt comes back before the output; its text is a {@link Prompt.Text}
 */
record CompletionRequest(List<GenerationRequest> generations, boolean stream, boolean echo) {
    private static final int MOST_CHOICES = 16;

    static CompletionRequest read(Json json, String client) {
        DialectBody body = DialectBody.of(json);
        Fields fields = body.fields();
        String model = fields.requiredString("model");
        List<Prompt> prompts = prompts(body);
        boolean stream = fields.bool("stream").orElse(false);
        boolean echo = fields.bool("echo").orElse(false);
        int n = fields.integer("n", 1, MOST_CHOICES).orElse(1);
        Sampling sampling = SamplingFields.read(fields);
        List<String> stop = SamplingFields.stop(fields);
        Optional<Integer> maxTokens = SamplingFields.maxTokens(body, "max_tokens");
        Optional<Integer> logprobs = fields.integer("logprobs", 0, 5);
        readOthers(body, n);
        if (echo && logprobs.isPresent()) {
            body.refuse("'echo' with 'logprobs' is not supported: the prompt's own probabilities are not computed");
        }
        if (echo && prompts.stream().anyMatch(Prompt.Tokens.class::isInstance)) {
            body.refuse("'echo' is not supported for a prompt of tokens");
        }
        if (prompts.size() * n > MOST_CHOICES) {
            body.refuse("'prompt' and 'n' ask for %d choices, at most %d are supported"
                    .formatted(prompts.size() * n, MOST_CHOICES));
        }
        body.check();
        if (prompts.stream().allMatch(CompletionRequest::isEmpty)) {
            throw new SkulkException(Problem.Kind.USER_ERROR, ChatRequest.NO_CONTENT);
        }
        GenerationRequest first = new GenerationRequest(
                CommandId.random(),
                DialectBody.model(model),
                prompts.getFirst(),
                sampling,
                new OutputShape.FreeText(),
                // this endpoint's own default
                maxTokens.or(() -> Optional.of(16)),
                stop,
                logprobs,
                ReasoningWish.NONE,
                client,
                List.of());
        return new CompletionRequest(all(first, prompts, n), stream, echo);
    }

    private static List<GenerationRequest> all(GenerationRequest first, List<Prompt> prompts, int n) {
        List<GenerationRequest> all = new ArrayList<>();
        for (Prompt prompt : prompts) {
            for (int i = 0; i < n; i++) {
                all.add(all.isEmpty() ? first : Variant.of(first, prompt, i));
            }
        }
        return all;
    }

    /** What the answer of a choice starts with. */
    String prefix(int choice) {
        return echo && generations.get(choice).prompt() instanceof Prompt.Text(String text) ? text : "";
    }

    private static boolean isEmpty(Prompt prompt) {
        return prompt instanceof Prompt.Text(String text) && text.isEmpty()
                || prompt instanceof Prompt.Tokens(List<Integer> tokens) && tokens.isEmpty();
    }

    /** A text, a list of texts, a list of token ids, or a list of such lists. */
    private static List<Prompt> prompts(DialectBody body) {
        Fields fields = body.fields();
        fields.require("prompt");
        Optional<Json> value = fields.any("prompt");
        List<Prompt> prompts = new ArrayList<>();
        if (value.isPresent()) {
            boolean read =
                    switch (value.get()) {
                        case JsonString(String text) -> prompts.add(new Prompt.Text(text));
                        case JsonArray list
                        when list.size() > 0 && list.items().getFirst() instanceof JsonNumber ->
                            tokens(list).map(prompts::add).orElse(false);
                        case JsonArray list -> readList(list, prompts);
                        default -> false;
                    };
            if (!read) {
                fields.fail(
                        "prompt", "value_error", "Input should be a string, a list of strings, or lists of token ids");
            }
        }
        return prompts.isEmpty() ? List.of(new Prompt.Text("")) : prompts;
    }

    private static boolean readList(JsonArray list, List<Prompt> prompts) {
        for (Json item : list) {
            Optional<Prompt> prompt =
                    switch (item) {
                        case JsonString(String text) -> Optional.of(new Prompt.Text(text));
                        case JsonArray tokens -> tokens(tokens);
                        default -> Optional.empty();
                    };
            if (prompt.isEmpty()) {
                return false;
            }
            prompts.add(prompt.get());
        }
        return true;
    }

    private static Optional<Prompt> tokens(JsonArray list) {
        List<Integer> ids = new ArrayList<>();
        for (Json item : list) {
            if (!(item instanceof JsonNumber number)
                    || !number.isLong()
                    || number.toLong() < 0
                    || number.toLong() > Integer.MAX_VALUE) {
                return Optional.empty();
            }
            ids.add((int) number.toLong());
        }
        return Optional.of(new Prompt.Tokens(ids));
    }

    private static void readOthers(DialectBody body, int n) {
        Fields fields = body.fields();
        fields.string("user");
        fields.object("stream_options").ifPresent(options -> {
            options.bool("include_usage");
            if (options.bool("include_obfuscation").orElse(false)) {
                body.refuse("'stream_options.include_obfuscation' is not supported: chunks are not padded");
            }
        });
        fields.integer("best_of", 1, MOST_CHOICES)
                .filter(best -> best > n)
                .ifPresent(best ->
                        body.refuse("'best_of' greater than 'n' is not supported: every generated choice is returned"));
        body.refuseUnless("suffix", value -> value.equals(new JsonString("")), "text is only continued, not filled in");
    }
}
