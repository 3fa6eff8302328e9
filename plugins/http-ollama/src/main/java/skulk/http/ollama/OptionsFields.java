package skulk.http.ollama;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.Instance;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.Sampling;
import skulk.api.http.Fields;
import skulk.api.model.ModelId;
import skulk.api.problem.Problem;
import skulk.api.problem.SkulkException;

/**
 * The {@code options} of a request, under Ollama's names.
 *
 * @param maxTokens empty for "as many as fit"
 * @param contextWanted tokens of context that must be there ({@code num_ctx})
 */
record OptionsFields(
        Sampling sampling, List<String> stop, Optional<Integer> maxTokens, Optional<Integer> contextWanted) {
    private static final OptionsFields NONE =
            new OptionsFields(Sampling.DEFAULT, List.of(), Optional.empty(), Optional.empty());
    private static final int MOST_STOPS = 16;

    static OptionsFields read(DialectBody body) {
        return body.fields()
                .object("options")
                .map(options -> read(body, options))
                .orElse(NONE);
    }

    private static OptionsFields read(DialectBody body, Fields options) {
        Sampling sampling = new Sampling(
                options.number("temperature", 0, 2),
                options.number("top_p", 0, 1),
                options.integer("top_k", 0, Integer.MAX_VALUE),
                options.number("min_p", 0, 1),
                options.longInteger("seed"),
                options.number("repeat_penalty", 0.01, 100),
                // 0 = off, -1 = the whole context
                options.integer("repeat_last_n", -1, Integer.MAX_VALUE).map(n -> n < 0 ? Integer.MAX_VALUE : n),
                options.number("frequency_penalty", -2, 2),
                options.number("presence_penalty", -2, 2),
                Map.of());
        List<String> stop = options.strings("stop");
        if (stop.size() > MOST_STOPS || stop.stream().anyMatch(String::isEmpty)) {
            options.fail("stop", "value_error", "Input should be at most " + MOST_STOPS + " texts, none of them empty");
        }
        Optional<Integer> most = options.integer("num_predict", -2, Integer.MAX_VALUE);
        if (most.filter(n -> n == 0).isPresent()) {
            body.refuse("num_predict must be positive, or -1 or -2 for as many tokens as fit");
        }
        Optional<Integer> context = hardware(body, options);
        refuseUnless(body, options, "mirostat", 0);
        refuseUnless(body, options, "tfs_z", 1);
        refuseUnless(body, options, "typical_p", 1);
        options.accept("mirostat_tau", "mirostat_eta"); // of mirostat, which is refused
        refuseUnless(body, options, "num_keep", 0);
        return new OptionsFields(sampling, stop, most.filter(n -> n > 0), context);
    }

    /** For embeddings: options that choose tokens would have no effect and are unknown here. @return {@code num_ctx} */
    static Optional<Integer> readForEmbedding(DialectBody body) {
        return body.fields().object("options").flatMap(options -> hardware(body, options));
    }

    /** How a model is run is decided when it is placed; these are hints that change no output. */
    private static Optional<Integer> hardware(DialectBody body, Fields options) {
        options.accept(
                "num_batch",
                "num_gpu",
                "main_gpu",
                "use_mmap",
                "use_mlock",
                "num_thread",
                "numa",
                "low_vram",
                "f16_kv");
        if (options.bool("vocab_only").orElse(false)) {
            body.refuse("option 'vocab_only' is not supported");
        }
        return options.integer("num_ctx", 1, Integer.MAX_VALUE);
    }

    private static void refuseUnless(DialectBody body, Fields options, String name, double neutral) {
        options.any(name)
                .filter(value -> !DialectBody.isNumber(neutral).test(value))
                .ifPresent(value -> body.refuse("option '%s' is not supported".formatted(name)));
    }

    /** @throws SkulkException USER_ERROR where no instance of the model has the context that is wanted */
    void checkContext(ModelId model, ClusterView view) {
        OptionalInt largest = view.instancesOf(model)
                .map(Instance::contextTokenLimit)
                .flatMapToInt(limit -> java.util.stream.IntStream.of(limit.orElse(Integer.MAX_VALUE)))
                .max();
        if (contextWanted.isPresent() && largest.isPresent() && contextWanted.get() > largest.getAsInt()) {
            throw new SkulkException(
                    Problem.Kind.USER_ERROR,
                    "option 'num_ctx' asks for %d tokens, but %s is placed with room for %d"
                            .formatted(contextWanted.get(), model, largest.getAsInt()));
        }
    }
}
