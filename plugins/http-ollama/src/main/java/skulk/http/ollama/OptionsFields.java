package skulk.http.ollama;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.Sampling;
import skulk.api.http.Fields;
import skulk.api.json.Json;

/**
 * The {@code options} of a request, under Ollama's names.
 *
 * @param maxTokens empty for "as many as fit"
 */
record OptionsFields(Sampling sampling, List<String> stop, Optional<Integer> maxTokens) {
    private static final OptionsFields NONE = new OptionsFields(Sampling.DEFAULT, List.of(), Optional.empty());
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
        hardware(body, options);
        refuseUnless(body, options, "mirostat", DialectBody.isNumber(0));
        refuseUnless(body, options, "tfs_z", DialectBody.isNumber(1));
        refuseUnless(body, options, "typical_p", DialectBody.isNumber(1));
        refuseUnless(body, options, "penalize_newline", Json.of(true)::equals); // penalties go for every token
        for (String other : List.of("vocab_only", "logits_all", "embedding_only")) {
            refuseUnless(body, options, other, DialectBody::isFalse);
        }
        options.accept("mirostat_tau", "mirostat_eta"); // of mirostat, which is refused
        options.integer("num_keep", -1, Integer.MAX_VALUE); // of what a shift of the context keeps, and there is none
        return new OptionsFields(sampling, stop, most.filter(n -> n > 0));
    }

    /** For embeddings: clients send the same options everywhere, and no tokens are chosen here. */
    static void readForEmbedding(DialectBody body) {
        read(body);
    }

    /** How a model is run is decided when it is placed; these are hints that change no output. */
    private static void hardware(DialectBody body, Fields options) {
        // a model has the room that it was placed with: never less than is asked for but where it has no more
        options.integer("num_ctx", 1, Integer.MAX_VALUE);
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
    }

    private static void refuseUnless(DialectBody body, Fields options, String name, Predicate<Json> harmless) {
        options.any(name)
                .filter(value -> !harmless.test(value))
                .ifPresent(value -> body.refuse("option '%s' is not supported".formatted(name)));
    }
}
