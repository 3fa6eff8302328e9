package skulk.http.openai;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import skulk.api.dialect.DialectBody;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.Sampling;
import skulk.api.http.Fields;
import skulk.api.json.Json;
import skulk.api.json.JsonNumber;
import skulk.api.json.JsonObject;

/** Reads the fields that choose tokens and end the output; the bounds are OpenAI's where it names any. */
final class SamplingFields {
    static final List<String> RETENTIONS = List.of("in_memory", "in-memory", "24h");
    private static final List<String> TIERS = List.of("auto", "default", "flex", "scale", "priority");
    static final List<String> EFFORTS = List.of("none", "minimal", "low", "medium", "high", "xhigh");

    private static final int MOST_STOPS = 16;
    private static final double MOST_BIAS = 100;
    private static final Pattern TOKEN_ID = Pattern.compile("[0-9]{1,9}");

    private SamplingFields() {}

    static Sampling read(Fields fields) {
        return new Sampling(
                fields.number("temperature", 0, 2),
                fields.number("top_p", 0, 1),
                // -1 is how several servers spell "all"
                fields.integer("top_k", -1, Integer.MAX_VALUE).map(k -> Math.max(0, k)),
                fields.number("min_p", 0, 1),
                fields.longInteger("seed"),
                fields.number("repetition_penalty", 0.01, 100),
                fields.integer("repetition_context_size", 0, Integer.MAX_VALUE),
                fields.number("frequency_penalty", -2, 2),
                fields.number("presence_penalty", -2, 2),
                logitBias(fields));
    }

    private static Map<Integer, Double> logitBias(Fields fields) {
        Map<Integer, Double> bias = new LinkedHashMap<>();
        Optional<Json> value = fields.any("logit_bias");
        if (value.isEmpty()) {
            return bias;
        }
        if (!(value.get() instanceof JsonObject object)) {
            fields.fail("logit_bias", "dict_type", "Input should be a valid dictionary");
            return bias;
        }
        for (Map.Entry<String, Json> entry : object.members().entrySet()) {
            if (TOKEN_ID.matcher(entry.getKey()).matches()
                    && entry.getValue() instanceof JsonNumber number
                    && Math.abs(number.toDouble()) <= MOST_BIAS) {
                bias.put(Integer.parseInt(entry.getKey()), number.toDouble());
            } else {
                fields.fail("logit_bias", "value_error", "Input should map token ids to numbers between -100 and 100");
                return Map.of();
            }
        }
        return bias;
    }

    /** There is one tier, whichever is asked for; whoever asks is told which it was, as OpenAI tells. */
    static Optional<String> tier(Fields fields) {
        return fields.oneOf("service_tier", TIERS).map(any -> "default");
    }

    static List<String> stop(Fields fields) {
        List<String> stop = fields.strings("stop");
        if (stop.size() > MOST_STOPS) {
            fields.fail("stop", "too_long", "List should have at most " + MOST_STOPS + " items");
        }
        if (stop.stream().anyMatch(String::isEmpty)) {
            fields.fail("stop", "string_too_short", "Stop strings should have at least 1 character");
        }
        return stop;
    }

    /** The first of the named fields that is given; several that disagree, or one that is not positive, are refused. */
    static Optional<Integer> maxTokens(DialectBody body, String... names) {
        Optional<Long> most = Optional.empty();
        for (String name : names) {
            Optional<Long> value = body.fields().longInteger(name);
            if (value.isPresent() && most.isPresent() && !value.equals(most)) {
                body.refuse("'%s' and '%s' are two names of one limit and differ".formatted(names[0], name));
            }
            most = most.or(() -> value);
        }
        if (most.isPresent() && most.get() <= 0) {
            body.refuse("max_tokens (max_output_tokens) must be a positive integer");
            return Optional.empty();
        }
        return most.map(value -> (int) Math.min(Integer.MAX_VALUE, value));
    }

    /** What is wanted of thinking (contract section 3, "Thinking"): an effort of {@code none} switches it off. */
    static ReasoningWish reasoning(Optional<Boolean> enabled, Optional<String> effort) {
        Optional<Boolean> byEffort = effort.filter("none"::equals).map(none -> false);
        return new ReasoningWish(enabled.or(() -> byEffort), effort, Optional.empty());
    }
}
